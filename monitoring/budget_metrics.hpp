// What processes tell Prometheus about budgets: a worker about the calls that ask for money, the ledger about the time
// that it takes. The ledger's other figures are numbers of its book (NumberBoard).
// Thread: one at a time; the metrics page may collect meanwhile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string_view>

#include "libmsg/core/clock.hpp"

namespace parley::monitoring {

/// The values of the label `outcome`.
inline constexpr std::array<std::string_view, 5> kBudgetOutcomes{"granted", "refused", "unreachable", "unreserved",
                                                                 "cancelled"};

class BudgetMetrics {
 public:
  /// The registry must outlive it.
  explicit BudgetMetrics(prometheus::Registry& registry);

  /// `outcome` is an index into kBudgetOutcomes.
  void observe_asked(std::size_t outcome, Duration waited);
  void observe_settled(Duration waited) const;
  void set_reports(std::size_t waiting, std::uint64_t dropped);

 private:
  std::array<prometheus::Counter*, kBudgetOutcomes.size()> calls_{};
  prometheus::Histogram* wait_;
  prometheus::Histogram* settle_;
  prometheus::Gauge* waiting_;
  prometheus::Counter* dropped_;
  std::uint64_t dropped_so_far_ = 0;
};

class LedgerMetrics {
 public:
  LedgerMetrics();
  void observe_take(Duration time) const;
  [[nodiscard]] const prometheus::Collectable& source() const { return registry_; }

 private:
  prometheus::Registry registry_;
  prometheus::Histogram* take_;
};

}  // namespace parley::monitoring
