// parley ps: broker, workers and agent types.
#include <optional>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/health.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/supervisor_view.hpp"
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

std::string milliseconds(std::uint64_t us) {
  if (us == 0) return "-";
  return us < 10'000 ? fmt::format("{:.1f}ms", static_cast<double>(us) / 1000.0) : fmt::format("{}ms", us / 1000);
}

std::string note_of(const wire::PsPeer& peer) {
  if (!peer.is_draining) return peer.health_reason;
  return peer.health_reason.empty() ? "draining" : "draining; " + peer.health_reason;
}

/// A broker that does not know health says nothing.
std::string health_of(const std::string& health) { return health.empty() ? "?" : health; }

std::optional<Color> color_of(std::string_view health) {
  if (health == to_string(HealthState::healthy)) return Color::green;
  if (health == to_string(HealthState::degraded) || health == to_string(HealthState::starting)) return Color::yellow;
  if (health == to_string(HealthState::unhealthy)) return Color::red;
  if (health == to_string(HealthState::quarantined)) return Color::magenta;
  return std::nullopt;
}

/// The first column is the health, in its colour.
void print_table(Console& console, const std::vector<Column>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  const auto lines = render_table(columns, rows, console.style().width);
  console.print(console.paint(Color::bold, lines.front()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& health = rows[i].front();
    const std::string& line = lines.at(i + 1);
    const auto color = line.starts_with(health) ? color_of(health) : std::nullopt;
    console.print(color ? console.paint(*color, health) + line.substr(health.size()) : line);
  }
}

void print_quarantines(Console& console, const wire::PsReport& report) {
  if (report.quarantines.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const wire::PsQuarantine& row : report.quarantines) {
    rows.push_back({row.key, format_wall_ms(row.since_ms), std::to_string(row.refused), row.reason});
  }
  console.print("");
  print_table(console,
              {{"QUARANTINED", Align::left, true}, {"SINCE"}, {"REFUSED", Align::right}, {"REASON", Align::left, true}},
              rows);
}

void print_report(Console& console, const wire::PsReport& report) {
  console.print(fmt::format("broker up {}, epoch {}{}", age(report.uptime_ms), report.shard_epoch,
                            report.is_recovering ? ", recovering" : ""));
  std::vector<std::vector<std::string>> workers;
  std::size_t clients = 0;
  for (const wire::PsPeer& peer : report.peers) {
    if (!peer.is_worker) {
      ++clients;
      continue;
    }
    workers.push_back({health_of(peer.health), peer.name, age(peer.uptime_ms), join(peer.types),
                       std::to_string(peer.activations), std::to_string(peer.inflight), note_of(peer)});
  }
  console.print("");
  if (workers.empty()) {
    console.print("no workers");
  } else {
    print_table(console,
                {{"HEALTH"},
                 {"WORKER", Align::left, true},
                 {"UP", Align::right},
                 {"AGENT TYPES", Align::left, true},
                 {"ACTIVE", Align::right},
                 {"IN FLIGHT", Align::right},
                 {"NOTE", Align::left, true}},
                workers);
  }
  if (!report.types.empty()) {
    std::vector<std::vector<std::string>> types;
    for (const wire::PsType& type : report.types) {
      types.push_back({health_of(type.health), type.name, std::to_string(type.workers),
                       std::to_string(type.activations), std::to_string(type.inflight),
                       std::to_string(type.mailbox_depth), std::to_string(type.requests), std::to_string(type.failures),
                       milliseconds(type.latency_p95_us)});
    }
    console.print("");
    print_table(console,
                {{"HEALTH"},
                 {"TYPE", Align::left, true},
                 {"WORKERS", Align::right},
                 {"ACTIVE", Align::right},
                 {"IN FLIGHT", Align::right},
                 {"WAITING", Align::right},
                 {"REQUESTS", Align::right},
                 {"FAILED", Align::right},
                 {"P95", Align::right}},
                types);
  }
  print_quarantines(console, report);
  console.print("");
  console.print(fmt::format("{} {}", clients, clients == 1 ? "client" : "clients"));
}

Task<int> show_ps(Bus& bus) {
  wire::Query query{.what = "ps", .key = {}, .limit = 1000};
  const Result<wire::PsReport> report = co_await query_broker<wire::PsReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail(report.error());
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

}  // namespace

const Verb kPsVerb{"ps", "List workers and agent types, their health and their load",
                   "  parley ps\n  parley ps --json | jq '.types[].name'", Reach::bus, &declare};

}  // namespace parley::cli
