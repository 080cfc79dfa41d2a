// A model behind a circuit breaker. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/circuit_breaker.hpp"
#include "agents/llm/model_observer.hpp"

namespace parley::llm {

class BreakerModel final : public ChatModel {
 public:
  /// `name` is for messages. `clock` must outlive the model.
  BreakerModel(std::shared_ptr<ChatModel> inner, std::string name, CircuitBreakerOptions options,
               std::shared_ptr<ModelObserver> observer, const Clock& clock);

  /// While the circuit is open: `overloaded`, ModelError::Kind::refused_here, retry_after.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  class Trial;
  using Outcome = std::expected<Completion, ModelError>;

  [[nodiscard]] ModelError refusal(Duration wait) const;
  void tell();

  std::shared_ptr<ChatModel> inner_;
  std::string name_;
  CircuitBreaker breaker_;
  std::shared_ptr<ModelObserver> observer_;
  const Clock& clock_;
  CircuitState told_ = CircuitState::closed;
};

}  // namespace parley::llm
