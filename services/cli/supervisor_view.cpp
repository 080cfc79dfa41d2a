#include "services/cli/supervisor_view.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#include "services/cli/table.hpp"

namespace parley::cli {
namespace {

constexpr std::string_view kPeerPrefix = "supervisor/";
/// A supervisor answers from its loop; one that does not is no reason to keep somebody waiting.
constexpr std::chrono::milliseconds kPatience{500};

std::string when(const messages::SupervisedProcess& process) {
  if (process.next_start_ms == 0) return process.reason;
  const std::string next = fmt::format("next start in {:.1f} s", static_cast<double>(process.next_start_ms) / 1000.0);
  return process.reason.empty() ? next : process.reason + "; " + next;
}

}  // namespace

std::vector<std::string> supervisor_nodes(const wire::PsReport& report) {
  std::vector<std::string> nodes;
  for (const wire::PsPeer& peer : report.peers) {
    if (!peer.name.starts_with(kPeerPrefix)) continue;
    if (std::ranges::find(peer.types, messages::kSupervisorType) == peer.types.end()) continue;
    nodes.push_back(peer.name.substr(kPeerPrefix.size()));
  }
  return nodes;
}

Task<std::vector<messages::SupervisorReport>> ask_supervisors(Bus& bus, const wire::PsReport& report) {
  std::vector<messages::SupervisorReport> reports;
  for (const std::string& node : supervisor_nodes(report)) {
    const Result<AgentId> supervisor = AgentId::make(messages::kSupervisorType, node);
    if (!supervisor) continue;
    CallOptions options;
    options.timeout = kPatience;
    const messages::SupervisorList list;
    auto answer = co_await bus.client.request<messages::SupervisorReport>(*supervisor, list, options);
    if (answer) reports.push_back(std::move(*answer));
  }
  co_return reports;
}

std::vector<std::string> render_supervisors(const std::vector<messages::SupervisorReport>& reports, std::size_t width) {
  std::vector<std::string> lines;
  for (const messages::SupervisorReport& report : reports) {
    std::vector<std::vector<std::string>> rows;
    for (const messages::SupervisedProcess& process : report.processes) {
      if (process.restarts == 0 && process.state == "running") continue;
      rows.push_back({process.name, process.state, std::to_string(process.restarts), when(process)});
    }
    lines.push_back(fmt::format("supervisor '{}': {} {}{}", report.node, report.processes.size(),
                                report.processes.size() == 1 ? "process" : "processes",
                                rows.empty() ? ", all running, none restarted" : ""));
    for (const std::string& agent : report.quarantined_agents) lines.push_back("quarantined agent " + agent);
    if (rows.empty()) continue;
    const auto table = render_table(
        {{"PROCESS", Align::left, true}, {"STATE"}, {"RESTARTS", Align::right}, {"WHY", Align::left, true}}, rows,
        width);
    lines.insert(lines.end(), table.begin(), table.end());
  }
  return lines;
}

nlohmann::json to_json(const messages::SupervisorReport& report) {
  nlohmann::json processes = nlohmann::json::array();
  for (const messages::SupervisedProcess& process : report.processes) {
    processes.push_back({{"name", process.name},
                         {"state", process.state},
                         {"pid", process.pid},
                         {"restarts", process.restarts},
                         {"state_ms", process.state_ms},
                         {"next_start_ms", process.next_start_ms},
                         {"reason", process.reason},
                         {"log", process.log},
                         {"peer", process.peer}});
  }
  return {{"node", report.node}, {"processes", processes}, {"quarantined_agents", report.quarantined_agents}};
}

}  // namespace parley::cli
