// Calls a model again when its failure may pass and no piece of its answer has been handed out. Loop thread only.
#pragma once

#include <memory>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/retry.hpp"

namespace parley::llm {

struct RetryingOptions {
  RetryOptions retry;
  /// Limit of one call, all attempts and waits included.
  std::chrono::milliseconds timeout{600'000};
};

class RetryingModel final : public ChatModel {
 public:
  /// `clock` and `random` must outlive the model.
  RetryingModel(std::shared_ptr<ChatModel> inner, RetryingOptions options, const Clock& clock, Random& random)
      : inner_(std::move(inner)), options_(options), clock_(clock), random_(random) {}

  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  using Outcome = std::expected<Completion, ModelError>;

  std::shared_ptr<ChatModel> inner_;
  RetryingOptions options_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace parley::llm
