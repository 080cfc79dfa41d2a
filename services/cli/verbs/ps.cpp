// parley ps: broker, workers and agent types.
#include <optional>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/health.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/figures.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/supervisor_view.hpp"
#include "services/cli/top/frame.hpp"
#include "services/cli/top/layout.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace ps_verb {

void print_all(Console& console, const std::vector<top::StyledLine>& lines) {
  for (const top::StyledLine& line : lines) {
    console.print(console.style().has_color ? top::ansi_text(line, true) : top::plain_text(line));
  }
}

void print_report(Console& console, const wire::PsReport& report) {
  top::Sampler sampler;
  const top::Frame frame = sampler.add(report, {}, TimePoint{});
  const std::size_t width = console.style().width;
  const std::uint64_t clients = frame.header.clients;
  console.print(fmt::format("broker up {}, epoch {}{}, {} {}", format_age(std::chrono::milliseconds(report.uptime_ms)),
                            report.shard_epoch, report.is_recovering ? ", recovering" : "", clients,
                            clients == 1 ? "client" : "clients"));
  for (const std::string& alert : frame.alerts) console.print(console.paint(Color::red, "! " + printable(alert)));
  console.print("");
  if (frame.workers.empty()) {
    console.print("no workers");
  } else {
    print_all(console, top::render_rows(top::ps_worker_columns(), frame.workers, width));
  }
  if (frame.types.empty()) return;
  console.print("");
  print_all(console, top::render_rows(top::ps_type_columns(), frame.types, width));
}

Task<int> show_ps(Bus& bus) {
  wire::Query query{.what = "ps", .key = {}, .limit = 1000};
  const Result<wire::PsReport> report = co_await query_broker<wire::PsReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail_answer(report.error());
  const std::vector<messages::SupervisorReport> supervisors = co_await ask_supervisors(bus, *report);
  if (bus.common.is_json) {
    nlohmann::json json = to_json(*report);
    json["supervisors"] = nlohmann::json::array();
    for (const auto& supervisor : supervisors) json["supervisors"].push_back(to_json(supervisor));
    bus.console.print(to_line(json));
  } else {
    print_report(bus.console, *report);
    for (const auto& line : render_supervisors(supervisors, bus.console.style().width)) bus.console.print(line);
  }
  co_return kDone;
}

Run declare(Options& /*options*/) {
  return [](Environment& environment) { return run_on_bus(environment, {.purpose = "ps"}, &show_ps); };
}

}  // namespace ps_verb
}  // namespace

const Verb kPsVerb{"ps", "List workers and agent types: health, load, latency, tokens, cost",
                   "  parley ps\n  parley ps --json | jq '.types[].name'", Reach::bus, &ps_verb::declare};

}  // namespace parley::cli
