// parley check: one line and an exit code for monitoring: 0 good, 1 warning, 2 critical.
#include <algorithm>
#include <charconv>
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/health_check.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace check_verb {

struct Settings {
  std::vector<std::string> required;
  std::optional<std::uint64_t> max_dead_letters;
  std::optional<std::uint64_t> max_parked;
};

int print_verdict(Console& console, const CheckVerdict& verdict, bool is_json) {
  if (is_json) {
    console.print(
        to_line({{"status", to_string(verdict.level)}, {"findings", verdict.findings}, {"summary", verdict.summary}}));
  } else {
    std::string line(to_string(verdict.level));
    for (const auto& finding : verdict.findings)
      line += (&finding == &verdict.findings.front() ? ": " : "; ") + finding;
    console.print(printable(line + (verdict.findings.empty() ? ": " : " | ") + verdict.summary));
  }
  return static_cast<int>(verdict.level);
}

Task<int> check(Bus& bus, const CheckLimits& limits) {
  wire::Query query{.what = "ps", .key = {}, .limit = 1000};
  const Result<wire::PsReport> report = co_await query_broker<wire::PsReport>(bus.runtime, std::move(query));
  wire::Query letters_query{.what = "dead_letters", .key = {}, .limit = 1};
  const Result<wire::DeadLetterReport> letters =
      co_await query_broker<wire::DeadLetterReport>(bus.runtime, std::move(letters_query));
  if (!report || !letters) {
    const Error& error = report ? letters.error() : report.error();
    co_return print_verdict(bus.console, CheckVerdict::critical(error.message), bus.common.is_json);
  }
  co_return print_verdict(bus.console, judge(*report, letters->total, limits), bus.common.is_json);
}

int run_check(Environment& environment, const Settings& settings) {
  CheckLimits limits{{}, settings.max_dead_letters, settings.max_parked};
  for (const std::string& text : settings.required) {
    const Result<RequiredType> required = RequiredType::parse(text);
    if (!required) return environment.console.refuse_usage(required.error().message);
    limits.required.push_back(*required);
  }
  BusOptions options{.purpose = "check"};
  options.on_unreachable = [&](const Error& error) {
    return print_verdict(environment.console, CheckVerdict::critical(error.message), environment.common.is_json);
  };
  return run_on_bus(environment, std::move(options), [&](Bus& bus) { return check(bus, limits); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.option("--require", settings->required, "TYPE[=N]",
                 "Agent type that must have a worker, or N of them; repeatable");
  options.number("--max-dead-letters", settings->max_dead_letters, 0, UINT64_MAX,
                 "Warn above so many dead letters since the broker's start");
  options.number("--max-parked", settings->max_parked, 0, UINT64_MAX,
                 "Warn above so many messages waiting for a worker");
  return [settings](Environment& environment) { return run_check(environment, *settings); };
}

}  // namespace check_verb
}  // namespace

const Verb kCheckVerb{"check", "Check the bus for monitoring: exit 0 good, 1 warning, 2 critical",
                      "  parley check --require hr --require finance=2 --max-dead-letters 0", Reach::bus,
                      &check_verb::declare};

}  // namespace parley::cli
