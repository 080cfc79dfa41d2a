// Remembers answers: the same request again costs nothing. Loop thread only. Answers that use tools, were cut off or
// refused are not kept: the ids of tool calls are keys of what they do, and must not come twice.
#pragma once

#include <memory>

#include "agents/llm/answer_cache.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_observer.hpp"

namespace parley::llm {

class CachedModel final : public ChatModel {
 public:
  /// `clock` must outlive the model.
  CachedModel(std::shared_ptr<ChatModel> inner, CacheOptions options, std::shared_ptr<ModelObserver> observer,
              const Clock& clock)
      : inner_(std::move(inner)), cache_(options), observer_(std::move(observer)), clock_(clock) {}

  /// A remembered answer comes in one piece, with a usage of no tokens.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  std::shared_ptr<ChatModel> inner_;
  AnswerCache cache_;
  std::shared_ptr<ModelObserver> observer_;
  const Clock& clock_;
};

}  // namespace parley::llm
