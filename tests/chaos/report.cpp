#include "tests/chaos/report.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace parley::chaos {

bool ScenarioReport::is_passed() const { return std::ranges::all_of(promises, &Promise::is_kept); }

Duration Samples::percentile(double percent) const {
  if (samples_.empty()) return Duration::zero();
  std::vector<Duration> sorted = samples_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::string milliseconds_text(Duration duration) {
  return fmt::format("{:.0f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

Promise promise_time(std::string what, const Samples& samples, double percent, Duration limit) {
  const Duration reached = samples.percentile(percent);
  return {fmt::format("{}, p{:.0f} of {}", what, percent, samples.size()),
          fmt::format("{} (p50 {}, max {})", milliseconds_text(reached), milliseconds_text(samples.percentile(50)),
                      milliseconds_text(samples.percentile(100))),
          milliseconds_text(limit), samples.size() > 0 && reached <= limit};
}

Promise promise_none(std::string what, std::uint64_t count, const std::string& examples) {
  return {std::move(what), std::to_string(count) + (examples.empty() ? "" : " (" + examples + ")"), "0", count == 0};
}

Promise promise(std::string what, bool is_kept, std::string reached) {
  return {std::move(what), std::move(reached), "yes", is_kept};
}

void print_report(const ScenarioReport& report) {
  fmt::print("\n{} {}  ({:.1f} s)\n  {}\n", report.is_passed() ? "PASS" : "FAIL", report.name,
             std::chrono::duration<double>(report.took).count(), report.about);
  if (!report.settings.empty()) fmt::print("  settings: {}\n", report.settings);
  for (const Promise& promise : report.promises) {
    fmt::print("  {} {:<58} {}   [{}]\n", promise.is_kept ? "ok  " : "MISS", promise.what, promise.reached,
               promise.limit);
  }
  std::fflush(stdout);
}

void print_json(const ScenarioReport& report) {
  nlohmann::ordered_json promises = nlohmann::ordered_json::array();
  for (const Promise& promise : report.promises) {
    promises.push_back(
        {{"what", promise.what}, {"reached", promise.reached}, {"limit", promise.limit}, {"kept", promise.is_kept}});
  }
  const nlohmann::ordered_json line{{"scenario", report.name},
                                    {"passed", report.is_passed()},
                                    {"seconds", std::chrono::duration<double>(report.took).count()},
                                    {"settings", report.settings},
                                    {"promises", promises}};
  std::cout << line.dump() << std::endl;
}

}  // namespace parley::chaos
