// Puts models behind the ledger where the configuration has budgets. All of a process share one line to it.
// Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "agents/budget/budgets_config.hpp"
#include "agents/budget/ledger.hpp"
#include "agents/host/observed_model.hpp"
#include "agents/llm/chat_model.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

class PaidModels {
 public:
  /// All must outlive the models; without metrics nothing is counted.
  PaidModels(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics);

  /// The model as it is without budgets. The runtime must outlive it.
  [[nodiscard]] std::shared_ptr<llm::ChatModel> wrap(std::shared_ptr<llm::ChatModel> model, Runtime& runtime,
                                                     const std::optional<budget::BudgetsConfig>& budgets,
                                                     const std::string& agent_type, const ModelAccount& account);

 private:
  asio::io_context& io_;
  const Clock& clock_;
  Random& random_;
  std::shared_ptr<budget::BudgetObserver> observer_;
  std::shared_ptr<budget::Ledger> ledger_;
};

}  // namespace parley::host
