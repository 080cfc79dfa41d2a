#include "monitoring/tool_metrics.hpp"

#include <utility>

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

// The boundaries that OpenTelemetry's conventions for generative AI advise.
const prometheus::Histogram::BucketBoundaries kToolSeconds{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                                           1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
constexpr std::string_view kToolSuccess = "ok";
constexpr std::string_view kUnknownTool = "unknown_tool";
constexpr std::string_view kOtherTool = "other";
/// Tools of one agent type that have series of their own.
constexpr std::size_t kMaxTools = 100;

}  // namespace

ToolMetrics::ToolMetrics(prometheus::Registry& registry)
    : durations_(histogram_family(registry, "gen_ai_execute_tool_duration_seconds")) {}

void ToolMetrics::add(std::string_view agent_type, std::string_view tool) {
  auto& tools = tools_[std::string(agent_type)];
  if (tools.size() >= kMaxTools && !tools.contains(tool)) return;
  tools.emplace(tool);
  series_of(std::string(agent_type), std::string(tool), kToolSuccess);
}

void ToolMetrics::observe(const ToolUse& use) {
  if (use.outcome != kUnknownTool) add(use.agent_type, use.tool);
  const auto known = tools_.find(use.agent_type);
  const bool is_known = known != tools_.end() && known->second.contains(use.tool);
  const std::string tool(is_known ? use.tool : kOtherTool);
  series_of(std::string(use.agent_type), tool, use.outcome).Observe(in_seconds(use.latency));
}

void ToolMetrics::remove_agent_type(std::string_view agent_type) {
  std::erase_if(series_, [&](const auto& entry) {
    if (std::get<0>(entry.first) != agent_type) return false;
    durations_.Remove(entry.second);
    return true;
  });
  const auto tools = tools_.find(agent_type);
  if (tools != tools_.end()) tools_.erase(tools);
}

prometheus::Histogram& ToolMetrics::series_of(const std::string& agent_type, const std::string& tool,
                                              std::string_view outcome) {
  const Key key{agent_type, tool, std::string(outcome)};
  const auto known = series_.find(key);
  if (known != series_.end()) return *known->second;
  // An empty label is the same as none: the conventions want no error type on a success.
  const std::string_view error = outcome == kToolSuccess ? std::string_view() : outcome;
  prometheus::Histogram& made = durations_.Add(
      {{"gen_ai_agent_name", agent_type}, {"gen_ai_tool_name", tool}, {"error_type", std::string(error)}},
      kToolSeconds);
  series_.emplace(key, &made);
  return made;
}

}  // namespace parley::monitoring
