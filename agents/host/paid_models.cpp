#include "agents/host/paid_models.hpp"

#include <utility>

#include "agents/budget/budgeted_model.hpp"
#include "agents/budget/bus_ledger.hpp"

namespace parley::host {
namespace {

/// Outcomes have the order of the metric's label values.
class MeteredBudgets final : public budget::BudgetObserver {
 public:
  explicit MeteredBudgets(monitoring::BudgetMetrics& metrics) : metrics_(metrics) {}
  void on_asked(Outcome outcome, Duration waited) override {
    metrics_.observe_asked(static_cast<std::size_t>(outcome), waited);
  }
  void on_settled(Duration waited) override { metrics_.observe_settled(waited); }
  void on_reports(std::size_t waiting, std::uint64_t dropped) override { metrics_.set_reports(waiting, dropped); }

 private:
  monitoring::BudgetMetrics& metrics_;
};

}  // namespace

PaidModels::PaidModels(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics)
    : io_(io), clock_(clock), random_(random) {
  if (metrics != nullptr) observer_ = std::make_shared<MeteredBudgets>(metrics->budgets());
}

std::shared_ptr<llm::ChatModel> PaidModels::wrap(std::shared_ptr<llm::ChatModel> model, Runtime& runtime,
                                                 const std::optional<budget::BudgetsConfig>& budgets,
                                                 const std::string& agent_type, const ModelAccount& account) {
  if (!budgets) return model;
  if (!ledger_) {
    ledger_ = budget::BusLedger::make(io_, runtime.client(), clock_, random_, budgets->ledger_timeout, observer_);
  }
  budget::BudgetedOptions options{
      agent_type, account.model, account.price, budgets->on_ledger_loss, budgets->wait_for_held, account.output};
  return std::make_shared<budget::BudgetedModel>(std::move(model), ledger_, std::move(options), clock_, random_,
                                                 observer_);
}

}  // namespace parley::host
