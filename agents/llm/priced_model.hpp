// Fills in what each call has cost by the price of the configured model, that of a failed one included. Innermost, so
// that every attempt is priced by itself. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_price.hpp"

namespace parley::llm {

class PricedModel final : public ChatModel {
 public:
  /// The price is that of `model`; a request that names another one has none.
  PricedModel(std::shared_ptr<ChatModel> inner, std::string model, ModelPrice price)
      : inner_(std::move(inner)), model_(std::move(model)), price_(std::move(price)) {}

  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override {
    const bool is_priced = request.model.empty() || request.model == model_;
    std::expected<Completion, ModelError> outcome = co_await inner_->complete(std::move(request), std::move(on_chunk));
    if (!is_priced) co_return outcome;
    if (outcome) {
      outcome->usage.cost_nano_usd = cost_nano_usd(outcome->usage, price_);
    } else if (outcome.error().usage) {
      outcome.error().usage->cost_nano_usd = cost_nano_usd(*outcome.error().usage, price_);
    }
    co_return outcome;
  }

 private:
  std::shared_ptr<ChatModel> inner_;
  std::string model_;
  ModelPrice price_;
};

}  // namespace parley::llm
