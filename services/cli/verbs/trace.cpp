// parley trace ID: the hops of one message with their times.
#include <algorithm>
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/trace_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace trace_verb {

struct Settings {
  std::string id;
  bool is_mermaid = false;
};

bool is_trace_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Task<int> show_trace(Bus& bus, const Settings& settings) {
  wire::Query query{.what = "trace", .key = settings.id, .limit = 1000};
  const Result<wire::TraceReport> report = co_await query_broker<wire::TraceReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail_answer(report.error());
  if (report->hops.empty()) {
    co_return bus.console.fail(
        Error(ErrorCode::invalid,
              fmt::format("no hops of trace {} are recorded (send with --trace; old traces make room for new ones)",
                          settings.id)));
  }
  const std::vector<Leg> legs = legs_of(*report);
  if (settings.is_mermaid) {
    for (const auto& line : sequence_diagram(summarised(legs))) bus.console.print(line);
  } else if (bus.common.is_json) {
    for (const auto& hop : hops_json(*report)) bus.console.print(to_line(hop));
  } else {
    for (const auto& line : render_legs(legs, bus.console.style().width)) bus.console.print(line);
  }
  co_return kDone;
}

int run_trace(Environment& environment, const Settings& settings) {
  if (!is_trace_id(settings.id)) {
    return environment.console.refuse_usage(
        fmt::format("'{}' is no trace id: expected 32 hex digits, as --trace prints them", settings.id));
  }
  return run_on_bus(environment, {.purpose = "trace"}, [&](Bus& bus) { return show_trace(bus, settings); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("ID", settings->id, "Trace id, as printed by --trace");
  options.flag("--mermaid", settings->is_mermaid, "Print a Mermaid sequence diagram");
  return [settings](Environment& environment) { return run_trace(environment, *settings); };
}

}  // namespace trace_verb
}  // namespace

const Verb kTraceVerb{"trace", "Show the way of one message, hop by hop",
                      "  parley request hr 'hello' --trace\n"
                      "  parley trace 4bf92f3577b34da6a3ce929d0e0e4736 --mermaid",
                      Reach::bus, &trace_verb::declare};

}  // namespace parley::cli
