// What a worker process tells Prometheus about the tools that its agents use: the histogram of OpenTelemetry's
// conventions for generative AI. Tools that the configuration does not name (a model's invention) count as `other`, so
// that nobody outside mints series; those of toolsets are learned, up to a bound.
//
// Used by WorkerMetrics, whose thread rule holds: one thread at a time; the metrics page may collect meanwhile.
#pragma once

#include <map>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "libmsg/core/clock.hpp"

namespace parley::monitoring {

/// One call of a tool. `outcome`: `ok`, or what kind of failure it was.
struct ToolUse {
  std::string_view agent_type;
  std::string_view tool;
  std::string_view outcome;
  Duration latency{};
};

class ToolMetrics {
 public:
  /// The registry must outlive it.
  explicit ToolMetrics(prometheus::Registry& registry);

  /// Makes the series of a tool that an agent type may use appear with 0.
  void add(std::string_view agent_type, std::string_view tool);
  void observe(const ToolUse& use);
  void remove_agent_type(std::string_view agent_type);

 private:
  /// Agent type, tool, outcome.
  using Key = std::tuple<std::string, std::string, std::string>;

  prometheus::Histogram& series_of(const std::string& agent_type, const std::string& tool, std::string_view outcome);

  prometheus::Family<prometheus::Histogram>& durations_;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> tools_;  ///< by agent type
  std::map<Key, prometheus::Histogram*> series_;
};

}  // namespace parley::monitoring
