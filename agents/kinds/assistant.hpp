// kind: assistant. A chat model with a system prompt and a memory of its own for each conversation (agent key).
// Text → Answer, streamed as TextPart on the way. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agents/kinds/history.hpp"
#include "agents/llm/chat_model.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

struct AssistantOptions {
  std::string system_prompt;
  HistoryLimits history;
  std::optional<double> temperature;
  std::optional<std::uint32_t> max_tokens;
  /// Where the answers to events and one-way messages go: this topic type, at the agent's key. Empty: such messages
  /// fail with `invalid`, because a model would be paid for an answer that nobody gets.
  std::string answer_topic;
};

class Assistant final : public TypedAgent<Assistant, messages::Text> {
 public:
  /// `model` is shared with the other activations of the process.
  Assistant(AssistantOptions options, std::shared_ptr<llm::ChatModel> model);

  /// Errors are those of the model (`overloaded`, `upstream_failed`, `timeout`, …). A turn that failed is not
  /// remembered, so the same message may be sent again.
  Task<Result<messages::Answer>> on(const messages::Text& message, Context& context);

  [[nodiscard]] Result<std::string> save_state() const override { return history_.save(); }
  Result<> load_state(std::string_view state) override { return history_.load(state); }

 private:
  AssistantOptions options_;
  std::shared_ptr<llm::ChatModel> model_;
  History history_;
};

}  // namespace parley::kinds
