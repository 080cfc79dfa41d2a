#include "monitoring/mcp_metrics.hpp"

#include <algorithm>

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

// The boundaries that OpenTelemetry's conventions for MCP advise.
const prometheus::Histogram::BucketBoundaries kMcpSeconds{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
                                                          2,    5,    10,   30,  60,  120, 300};

}  // namespace

void McpMetrics::Series::observe(std::string_view method, std::size_t outcome, Duration latency) {
  requests.at(outcome)->Increment();
  const auto found = std::ranges::find(kMethods, method);
  const auto index = static_cast<std::size_t>(found - kMethods.begin());
  durations.at(std::min(index, kMethods.size() - 1))->Observe(in_seconds(latency));
}

McpMetrics::McpMetrics(prometheus::Registry& registry)
    : requests_(counter_family(registry, "parley_mcp_requests_total")),
      durations_(histogram_family(registry, "mcp_client_operation_duration_seconds")),
      connections_(counter_family(registry, "parley_mcp_connections_total")),
      connected_(gauge_family(registry, "parley_mcp_connected")) {}

McpMetrics::Series& McpMetrics::series_of(std::string_view server) {
  const auto known = series_.find(server);
  if (known != series_.end()) return known->second;
  const std::string name(server);
  const prometheus::Labels labels{{"mcp_server", name}};
  Series series;
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    series.requests.at(i) = &requests_.Add({{"mcp_server", name}, {"outcome", std::string(kOutcomes.at(i))}});
  }
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    series.durations.at(i) =
        &durations_.Add({{"mcp_server", name}, {"mcp_method_name", std::string(kMethods.at(i))}}, kMcpSeconds);
  }
  series.connections = &connections_.Add(labels);
  series.connected = &connected_.Add(labels);
  return series_.emplace(name, series).first->second;
}

}  // namespace parley::monitoring
