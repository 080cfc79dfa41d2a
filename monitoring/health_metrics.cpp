#include "monitoring/health_metrics.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <string_view>
#include <utility>

#include "monitoring/catalogue.hpp"

namespace parley::monitoring {
namespace {

using Label = prometheus::ClientMetric::Label;

prometheus::MetricFamily gauges(std::string_view name) {
  return {std::string(name), std::string(metric_help(name)), prometheus::MetricType::Gauge, {}};
}

void add(prometheus::MetricFamily& family, std::vector<Label> labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

}  // namespace

std::vector<prometheus::MetricFamily> HealthMetrics::Collect() const {
  prometheus::MetricFamily states = gauges("parley_health_state");
  prometheus::MetricFamily failures = gauges("parley_agent_consecutive_failures");
  prometheus::MetricFamily activity = gauges("parley_agent_last_activity_timestamp_seconds");
  for (const AgentHealth& agent : ask_()) {
    const Label type{"agent_type", agent.agent_type};
    for (const HealthState state : all_health_states()) {
      add(states, {type, {"state", std::string(to_string(state))}}, agent.state == state ? 1 : 0);
    }
    add(failures, {type}, agent.consecutive_failures);
    add(activity, {type}, static_cast<double>(agent.last_activity_ms) / 1000.0);
  }
  return {std::move(states), std::move(failures), std::move(activity)};
}

}  // namespace parley::monitoring
