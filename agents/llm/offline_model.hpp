// The model that needs no network: OfflineRules and a timer. It says in every answer that it is the offline model.
#pragma once

#include "agents/llm/chat_model.hpp"
#include "agents/llm/offline_rules.hpp"

namespace parley::llm {

class OfflineModel final : public ChatModel {
 public:
  /// `clock` must outlive the model.
  OfflineModel(OfflineRules rules, const Clock& clock) : rules_(std::move(rules)), clock_(clock) {}

  /// Fails with `timeout` when the rule's latency ends behind the deadline, with the error that the rule names, and
  /// with what the sink fails with.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  Task<Result<>> stream(const std::string& text, const ChunkSink& on_chunk, TimePoint started, Completion& completion);

  OfflineRules rules_;
  const Clock& clock_;
};

}  // namespace parley::llm
