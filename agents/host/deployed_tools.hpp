// The tools of a deployment: made once for each worker of the configuration, handed to agents as boxes. Loop thread
// only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/host/agents_config.hpp"
#include "agents/host/tool_audit.hpp"
#include "agents/tools/tool_box.hpp"

namespace parley::host {

class DeployedTools {
 public:
  /// All must outlive it. Without metrics nothing is counted.
  DeployedTools(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics)
      : services_{io, clock, random, nullptr, metrics}, metrics_(metrics) {}

  /// Records the tools' calls; before prepare().
  void set_span_sink(std::shared_ptr<SpanSink> spans) { spans_ = std::move(spans); }
  /// Makes the tools that an agent uses, and the record of their use. `curl` is the connection pool of the loop; made
  /// when it is needed and null. Notes what is missing, once for each tool.
  void prepare(const AgentsConfig& config, const AgentConfig& agent, std::shared_ptr<http::CurlMulti>& curl,
               config::ConfigProblems& problems);
  /// Says goodbye to servers that keep sessions; together at most until the deadline.
  [[nodiscard]] Task<> stop(TimePoint deadline);
  /// Keeps the record of the worker's tools, prepared before.
  [[nodiscard]] std::shared_ptr<tools::ToolObserver> observer_for(const AgentsConfig& config) const {
    return audits_.at(config.name);
  }
  /// The tools of these names, prepared before.
  [[nodiscard]] tools::ToolBox box_for(const AgentsConfig& config, const std::string& agent_type,
                                       const std::vector<std::string>& names);

 private:
  /// Workers of one suite may give one name to different tools.
  using Key = std::pair<std::string, std::string>;

  void make_tool(const AgentsConfig& config, const std::string& name, config::ConfigProblems& problems);
  void make_audit(const AgentsConfig& config, config::ConfigProblems& problems);

  ToolServices services_;
  monitoring::WorkerMetrics* metrics_;
  std::shared_ptr<SpanSink> spans_;  ///< shared with the runtime
  std::map<Key, MadeTool> tools_;
  std::set<Key> hopeless_;                                    ///< could not be made
  std::map<std::string, std::shared_ptr<ToolAudit>> audits_;  ///< by worker
};

}  // namespace parley::host
