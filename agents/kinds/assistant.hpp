// kind: assistant. A chat model with instructions, tools, and people to hand over to. Asked directly (Text) it has a
// memory of its own for each conversation (agent key); as a member of a conversation (TurnRequest) it sees the thread
// that the manager owns and keeps nothing but what it could do without. Both are answered with an Answer, streamed as
// TextPart and TeamEvent on the way. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agents/kinds/handoff_tools.hpp"
#include "agents/kinds/history.hpp"
#include "agents/kinds/prompt_template.hpp"
#include "agents/kinds/running_summary.hpp"
#include "agents/kinds/structured_answer.hpp"
#include "agents/kinds/summarizer.hpp"
#include "agents/kinds/tool_loop.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/tools/knowledge_tools.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

struct AssistantOptions {
  PromptTemplate system_prompt;
  /// For the prompt, beside what an assistant knows itself.
  PromptValues variables;
  HistoryLimits history;
  ToolLoopOptions loop;
  HandoffPolicy handoffs;
  /// Set: the answer is JSON of this shape.
  std::optional<StructuredAnswer> structured;
  SummaryOptions summary;
  /// Whose facts about a question are put before the model without being asked for.
  std::optional<tools::KnowledgeSource> knowledge;
  /// Where the answers to events and one-way messages go: this topic type, at the agent's key. Empty: such messages
  /// fail with `invalid`, because a model would be paid for an answer that nobody gets.
  std::string answer_topic;
};

/// What one agent type's activations share.
struct AssistantServices {
  std::shared_ptr<llm::ChatModel> model;
  /// For summaries; null: the model itself.
  std::shared_ptr<llm::ChatModel> summary_model = nullptr;
  tools::ToolBox tools = {};
  /// For the date; must outlive the agents. Null: there is no date.
  const Clock* clock = nullptr;
};

class Assistant final : public TypedAgent<Assistant, messages::Text, messages::TurnRequest> {
 public:
  /// Both are shared with the other activations of the type.
  Assistant(std::shared_ptr<const AssistantOptions> options, std::shared_ptr<const AssistantServices> services);

  /// Errors are those of the model (`overloaded`, `upstream_failed`, `timeout`, …). A turn that failed, that a budget
  /// forbade or that has an empty answer is not remembered, so the same message may be sent again.
  Task<Result<messages::Answer>> on(const messages::Text& message, Context& context);
  Task<Result<messages::Answer>> on(const messages::TurnRequest& request, Context& context);

  [[nodiscard]] Result<std::string> save_state() const override { return history_.save(); }
  Result<> load_state(std::string_view state) override { return history_.load(state); }

 private:
  [[nodiscard]] Result<> check_has_listener(const Context& context) const;
  /// Null: asked directly.
  [[nodiscard]] ToolLoopInput input_for(const messages::TurnRequest* request, const Context& context) const;
  [[nodiscard]] std::optional<StructuredAnswer> shape_for(const messages::TurnRequest* request) const;
  [[nodiscard]] Summarizer summarizer(Context& context) const;

  /// Puts what is known about a text behind the instructions.
  Task<Result<>> add_knowledge(ToolLoopInput& input, std::string about, Context& context);

  // These sum up what is too much, take it off the input and put the summary into its system prompt.
  Task<Result<>> fold_history(ToolLoopInput& input, Summarizer& summarizer);
  Task<Result<>> fold_thread(ToolLoopInput& input, Summarizer& summarizer);
  /// The summary of the first messages of the input with how many these are, 0 when nothing was summed up.
  Task<Result<ThreadSummary>> fold_front(const ToolLoopInput& input, std::string_view earlier, Summarizer& summarizer);

  Task<Result<ToolLoopOutcome>> run_loop(ToolLoopInput input, std::string name, Context& context);
  /// Also publishes the answer when nobody waits for it.
  Task<Result<messages::Answer>> deliver(ToolLoopOutcome outcome, std::string name, messages::Usage summary_usage,
                                         Context& context);

  std::shared_ptr<const AssistantOptions> options_;
  std::shared_ptr<const AssistantServices> services_;
  std::optional<tools::KnownFacts> known_facts_;
  History history_;
};

}  // namespace parley::kinds
