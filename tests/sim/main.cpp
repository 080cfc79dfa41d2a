// parley-sim: the deterministic simulation. Every seed is one schedule of clients, workers, faults and delays over the
// pure broker and link, in virtual time; a failure prints its seed, and `--first SEED --seeds 1 --verbose` shows it
// again.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tests/sim/world.hpp"

namespace {

using parley::sim::World;

constexpr std::size_t kShownLines = 60;

struct Options {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  bool is_verbose = false;
};

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Options> parse(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--verbose") {
      options.is_verbose = true;
      continue;
    }
    if ((name != "--seeds" && name != "--first") || i + 1 == arguments.size()) return std::nullopt;
    const auto value = to_number(arguments[++i]);
    if (!value) return std::nullopt;
    (name == "--seeds" ? options.seeds : options.first) = *value;
  }
  return options;
}

void print_log(const World& world, bool is_whole) {
  const auto& lines = world.log_lines();
  const std::size_t from = is_whole || lines.size() < kShownLines ? 0 : lines.size() - kShownLines;
  for (std::size_t i = from; i < lines.size(); ++i) std::printf("%s\n", lines[i].c_str());
}

/// The same seed once more, with its log.
void explain(std::uint64_t seed, bool is_verbose) {
  World world(seed, true);
  (void)world.run();
  print_log(world, is_verbose);
  for (const std::string& failure : world.result().failures())
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), failure.c_str());
}

int simulate(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t messages = 0;
  std::uint64_t failed = 0;
  std::uint64_t done = 0;
  std::map<std::string, std::uint64_t, std::less<>> outcomes;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    World world(seed, options.is_verbose);
    const bool is_good = world.run();
    done++;
    messages += world.result().messages();
    for (const auto& [name, count] : world.result().outcomes()) outcomes[name] += count;
    if (options.is_verbose && is_good) print_log(world, true);
    if (is_good) continue;
    explain(seed, options.is_verbose);
    std::printf("seed %llu FAILED: parley-sim --first %llu --seeds 1 --verbose\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
    if (++failed == 5) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%llu seeds, %llu messages, %.1f s\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(messages), took.count());
  for (const auto& [name, count] : outcomes)
    std::printf("  %-20s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse({argv, static_cast<std::size_t>(argc)});
  if (!options) {
    std::fprintf(stderr, "usage: parley-sim [--seeds N] [--first SEED] [--verbose]\n");
    return 2;
  }
  return simulate(*options);
}
