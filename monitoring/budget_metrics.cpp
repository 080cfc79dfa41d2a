#include "monitoring/budget_metrics.hpp"

#include <string>

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

// From a batch on a fast disk to a call that waits for others to end.
const prometheus::Histogram::BucketBoundaries kBudgetSeconds{0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};

}  // namespace

BudgetMetrics::BudgetMetrics(prometheus::Registry& registry)
    : wait_(&histogram_family(registry, "parley_budget_wait_seconds").Add({}, kBudgetSeconds)),
      settle_(&histogram_family(registry, "parley_budget_settle_seconds").Add({}, kBudgetSeconds)),
      waiting_(&gauge_family(registry, "parley_budget_reports_waiting").Add({})),
      dropped_(&counter_family(registry, "parley_budget_reports_dropped_total").Add({})) {
  auto& calls = counter_family(registry, "parley_budget_calls_total");
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    calls_.at(i) = &calls.Add({{"outcome", std::string(kBudgetOutcomes.at(i))}});
  }
}

void BudgetMetrics::observe_asked(std::size_t outcome, Duration waited) {
  calls_.at(outcome)->Increment();
  wait_->Observe(in_seconds(waited));
}

void BudgetMetrics::observe_settled(Duration waited) const { settle_->Observe(in_seconds(waited)); }

void BudgetMetrics::set_reports(std::size_t waiting, std::uint64_t dropped) {
  waiting_->Set(static_cast<double>(waiting));
  if (dropped > dropped_so_far_) dropped_->Increment(static_cast<double>(dropped - dropped_so_far_));
  dropped_so_far_ = dropped;
}

LedgerMetrics::LedgerMetrics()
    : take_(&histogram_family(registry_, "parley_ledger_take_seconds").Add({}, kBudgetSeconds)) {}

void LedgerMetrics::observe_take(Duration time) const { take_->Observe(in_seconds(time)); }

}  // namespace parley::monitoring
