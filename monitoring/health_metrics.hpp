// The health of a worker's agent types as metrics. The page asks for it when it is read, on its own thread, so that a
// handler which keeps the loop busy cannot make the page show old news.
// Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <prometheus/collectable.h>
#include <string>
#include <vector>

#include "libmsg/core/health.hpp"

namespace parley::monitoring {

struct AgentHealth {
  std::string agent_type;
  HealthState state = HealthState::healthy;
  std::uint32_t consecutive_failures = 0;
  std::uint64_t last_activity_ms = 0;  ///< wall clock, ms since 1970; 0: none yet
};

class HealthMetrics final : public prometheus::Collectable {
 public:
  /// `ask` is called for each page, on its thread; it and what it refers to must outlive this.
  explicit HealthMetrics(std::function<std::vector<AgentHealth>()> ask) : ask_(std::move(ask)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::function<std::vector<AgentHealth>()> ask_;
};

}  // namespace parley::monitoring
