// A chain of models: the next one is asked when the one before it failed and nothing of its answer has been handed out.
// Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_observer.hpp"

namespace parley::llm {

struct FallbackMember {
  std::string name;  ///< in the configuration; for messages and counts
  std::shared_ptr<ChatModel> model;
  std::shared_ptr<ModelObserver> observer = std::make_shared<ModelObserver>();
};

struct FallbackChains {
  /// Asked in this order; at least one.
  std::vector<FallbackMember> members;
  /// Asked instead of the rest of the members when a request is too long for one, or against its provider's policy.
  /// Empty: such a failure is the caller's.
  std::vector<FallbackMember> for_context_window = {};
  std::vector<FallbackMember> for_content_policy = {};
};

/// Whether another model may do better: not when the request was wrong, the caller is gone or its time is over.
[[nodiscard]] bool passes_on(const ModelError& failure);

class FallbackModel final : public ChatModel {
 public:
  /// `clock` must outlive the model.
  FallbackModel(FallbackChains chains, const Clock& clock) : chains_(std::move(chains)), clock_(clock) {}

  /// The failure of all is that of the last one, and names the others.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  struct Step;
  /// Who is asked next; nullptr: nobody.
  const FallbackMember* next(Step& step, const ModelError& failure) const;

  FallbackChains chains_;
  const Clock& clock_;
};

}  // namespace parley::llm
