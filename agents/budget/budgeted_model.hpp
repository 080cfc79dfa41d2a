// A chat model whose calls are paid from budgets: it asks the ledger before each call and tells it afterwards what the
// call has cost, on every path out, cancellation and exceptions included. Loop thread only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "agents/budget/budgets_config.hpp"
#include "agents/budget/ledger.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_price.hpp"
#include "agents/llm/output_tokens.hpp"
#include "libmsg/core/random.hpp"

namespace parley::budget {

struct BudgetedOptions {
  std::string agent_type;  ///< for calls without a caller
  std::string model;       ///< as the provider names it
  std::optional<llm::ModelPrice> price;
  OnLedgerLoss on_ledger_loss = OnLedgerLoss::refuse;
  std::chrono::milliseconds wait_for_held{5'000};
  llm::OutputTokens output = {};
};

class BudgetedModel final : public llm::ChatModel {
 public:
  /// `clock` and `random` must outlive it; `observer` may be null.
  BudgetedModel(std::shared_ptr<llm::ChatModel> inner, std::shared_ptr<Ledger> ledger, BudgetedOptions options,
                const Clock& clock, Random& random, std::shared_ptr<BudgetObserver> observer);

  /// Fails with `budget_exceeded` (which budget, of whom, and when it resets: messages::budget_refusal() reads it from
  /// the error), with `unreachable` when
  /// the ledger does not answer (retryable: unlike `budget_exceeded` it says nothing about the money), and as the model
  /// does.
  Task<std::expected<llm::Completion, llm::ModelError>> complete(llm::ChatRequest request,
                                                                 llm::ChunkSink on_chunk) override;

 private:
  struct Call;
  using Outcome = std::expected<llm::Completion, llm::ModelError>;

  [[nodiscard]] messages::BudgetReserve order_for(const llm::ChatRequest& request);
  /// Asks until there is a verdict that lasts.
  Task<Result<messages::BudgetVerdict>> ask(const messages::BudgetReserve& order, std::optional<TimePoint> deadline);
  Task<Outcome> run(Call& call, llm::ChatRequest request, llm::ChunkSink on_chunk);
  void observe(BudgetObserver::Outcome outcome, TimePoint asked) const;

  std::shared_ptr<llm::ChatModel> inner_;
  std::shared_ptr<Ledger> ledger_;
  BudgetedOptions options_;
  const Clock& clock_;
  Random& random_;
  std::shared_ptr<BudgetObserver> observer_;
};

}  // namespace parley::budget
