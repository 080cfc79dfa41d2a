// parley ps: broker, workers and agent types.
#include <spdlog/fmt/fmt.h>

#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/table.hpp"
#include "services/cli/trace_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const auto& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

std::string age(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string state_of(const wire::PsPeer& peer) {
  if (peer.is_draining) return "draining";
  return "up";
}

void print_table(Console& console, const std::vector<Column>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  const auto lines = render_table(columns, rows, console.style().width);
  console.print(console.paint(Color::bold, lines.front()));
  for (std::size_t i = 1; i < lines.size(); ++i) console.print(lines[i]);
}

void print_report(Console& console, const wire::PsReport& report) {
  console.print(fmt::format("broker up {}, epoch {}{}", age(report.uptime_ms), report.shard_epoch,
                            report.is_recovering ? ", recovering" : ""));
  std::vector<std::vector<std::string>> workers;
  std::size_t clients = 0;
  for (const wire::PsPeer& peer : report.peers) {
    if (peer.types.empty()) {
      ++clients;
      continue;
    }
    workers.push_back({peer.name, state_of(peer), age(peer.uptime_ms), join(peer.types),
                       std::to_string(peer.activations), std::to_string(peer.inflight)});
  }
  console.print("");
  if (workers.empty()) {
    console.print("no workers");
  } else {
    print_table(console,
                {{"WORKER", Align::left, true},
                 {"STATE"},
                 {"UP", Align::right},
                 {"AGENT TYPES", Align::left, true},
                 {"ACTIVE", Align::right},
                 {"IN FLIGHT", Align::right}},
                workers);
  }
  if (!report.types.empty()) {
    std::vector<std::vector<std::string>> types;
    for (const wire::PsType& type : report.types) {
      types.push_back({type.name, std::to_string(type.workers), std::to_string(type.activations),
                       std::to_string(type.inflight), std::to_string(type.parked), std::to_string(type.requests),
                       std::to_string(type.failures)});
    }
    console.print("");
    print_table(console,
                {{"AGENT TYPE", Align::left, true},
                 {"WORKERS", Align::right},
                 {"ACTIVE", Align::right},
                 {"IN FLIGHT", Align::right},
                 {"PARKED", Align::right},
                 {"REQUESTS", Align::right},
                 {"FAILED", Align::right}},
                types);
  }
  console.print("");
  console.print(fmt::format("{} {}", clients, clients == 1 ? "client" : "clients"));
}

Task<int> show_ps(Bus& bus) {
  wire::Query query{.what = "ps", .key = {}, .limit = 1000};
  const Result<wire::PsReport> report = co_await query_broker<wire::PsReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail(report.error());
  if (bus.common.is_json) {
    bus.console.print(to_line(to_json(*report)));
  } else {
    print_report(bus.console, *report);
  }
  co_return kDone;
}

Run declare(Options& /*options*/) {
  return [](Environment& environment) { return run_on_bus(environment, {.purpose = "ps"}, &show_ps); };
}

}  // namespace

const Verb kPsVerb{"ps", "List workers, agent types and their load",
                   "  parley ps\n  parley ps --json | jq '.types[].name'", Reach::bus, &declare};

}  // namespace parley::cli
