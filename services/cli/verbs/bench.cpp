// parley bench [TARGET]: load on a running bus.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/bench_load.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/temporary_type.hpp"
#include "services/cli/trace_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace bench_verb {

struct Settings {
  std::optional<std::string> target;
  bool is_self = false;
  BenchPlan plan;
};

double micros(std::uint64_t nanos) { return static_cast<double>(nanos) / 1e3; }

void print_result(Bus& bus, const Settings& settings, const std::string& target, const BenchResult& result) {
  const Histogram& latency = result.latency_ns;
  if (bus.common.is_json) {
    bus.console.print(to_line({{"target", target},
                               {"mode", settings.plan.rate == 0 ? "closed" : "open"},
                               {"window", settings.plan.window},
                               {"rate", settings.plan.rate},
                               {"payload_bytes", settings.plan.payload_bytes},
                               {"requests", latency.count()},
                               {"failures", result.failures},
                               {"seconds", std::chrono::duration<double>(result.elapsed).count()},
                               {"per_second", result.per_second()},
                               {"p50_us", micros(latency.percentile(50))},
                               {"p90_us", micros(latency.percentile(90))},
                               {"p99_us", micros(latency.percentile(99))},
                               {"p999_us", micros(latency.percentile(99.9))},
                               {"max_us", micros(latency.max())}}));
    return;
  }
  const auto shown = [](std::uint64_t nanos) { return format_micros(nanos / 1000); };
  bus.console.print(fmt::format("{:.0f} requests/s   {} answered, {} failed in {:.1f} s", result.per_second(),
                                latency.count(), result.failed(),
                                std::chrono::duration<double>(result.elapsed).count()));
  bus.console.print(fmt::format("latency   p50 {}   p90 {}   p99 {}   p99.9 {}   max {}{}",
                                shown(latency.percentile(50)), shown(latency.percentile(90)),
                                shown(latency.percentile(99)), shown(latency.percentile(99.9)), shown(latency.max()),
                                settings.plan.rate == 0 ? "" : "   (from the intended time)"));
  for (const auto& [code, count] : result.failures) bus.console.print(fmt::format("failed    {} × {}", count, code));
}

Task<int> bench(Bus& bus, const Settings& settings) {
  std::string name = settings.target.value_or("");
  const std::string own_type = temporary_type(Temporary::bench, bus.random);
  if (settings.is_self) {
    name = own_type;
    Closure echo = [](const Payload& payload, Context&) -> Task<Result<Payload>> { co_return payload; };
    TypeOptions options;
    options.max_mailbox = 100'000;
    const Result<> registered =
        co_await bus.runtime.register_closure(own_type, std::move(echo), {}, std::move(options));
    if (!registered) co_return bus.console.fail_answer(registered.error());
  }
  const Result<Target> target = Target::parse(name);
  if (!target) co_return bus.console.refuse_usage(target.error().message);
  const BenchPlan& plan = settings.plan;
  const std::string load = plan.rate == 0 ? fmt::format("{} under way", plan.window)
                                          : fmt::format("{} a second, at most {} under way", plan.rate, plan.window);
  bus.console.note(fmt::format("requests of {} bytes to {}, {}", plan.payload_bytes, name, load));
  const BenchResult result = co_await run_load(bus, *target, plan);
  print_result(bus, settings, name, result);
  if (settings.is_self) (void)co_await bus.runtime.unregister_type(own_type);
  co_return result.failed() == 0 ? kDone : kFailed;
}

int run_bench(Environment& environment, Settings settings) {
  if (settings.is_self == settings.target.has_value()) {
    return environment.console.refuse_usage("give TARGET, or --self for an echo agent of its own");
  }
  if (environment.common.timeout) settings.plan.timeout = *environment.common.timeout;
  return run_on_bus(environment, {.purpose = "bench"}, [&](Bus& bus) { return bench(bus, settings); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("TARGET", settings->target, "Agent that answers: type, type/key or @capability");
  options.flag("--self", settings->is_self, "Register an echo agent and ask that");
  options.number("--window", settings->plan.window, 1, 60'000, "Requests under way at once");
  options.number("--rate", settings->plan.rate, 0, 10'000'000,
                 "Open loop: so many requests a second; 0 for a closed loop");
  options.duration("--duration", settings->plan.duration, "How long to measure, after half a second of warm-up");
  options.number("--size", settings->plan.payload_bytes, 0, 8'000'000, "Bytes of text in a request");
  return [settings](Environment& environment) { return run_bench(environment, *settings); };
}

}  // namespace bench_verb
}  // namespace

const Verb kBenchVerb{"bench", "Put load on a running bus and report latencies",
                      "  parley bench --self --window 64\n"
                      "  parley bench echo --rate 5000 --duration 10s --json",
                      Reach::bus, &bench_verb::declare};

}  // namespace parley::cli
