// One turn of an assistant: the model is asked, the tools that it wants are used, the model is asked again, until there
// is an answer, a handoff, or the limit of rounds. Loop thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/kinds/handoff_tools.hpp"
#include "agents/kinds/model_context.hpp"
#include "agents/kinds/structured_answer.hpp"
#include "agents/kinds/turn_voice.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/tools/tool_box.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::kinds {

struct ToolLoopOptions {
  /// So often tools may be used. A model that wants more is told so and has to answer with what it has.
  std::uint32_t max_rounds = 8;
  std::uint32_t max_parallel = 8;
  bool is_parallel_allowed = true;
  /// False: what the tools give is the answer, and the model is not asked again.
  bool is_reflecting = true;
  /// For the first call of the model; afterwards it is free to answer, or the loop would never end.
  llm::ToolChoice tool_choice;
  std::optional<double> temperature;
  std::optional<std::uint32_t> max_tokens;
  /// How often a structured answer that does not fit is asked for again.
  std::uint32_t max_repairs = 1;
  ContextLimits context;
  /// The answer when a budget forbids a call; empty: the error is passed on.
  std::string on_budget_exceeded;
};

/// Values of Answer::stop_reason that an assistant gives.
namespace stop_reason {
inline constexpr const char* kMaxToolRounds = "max_tool_rounds";
inline constexpr const char* kMaxTokens = "max_tokens";
inline constexpr const char* kContentFilter = "content_filter";
inline constexpr const char* kBudgetExceeded = "budget_exceeded";
}  // namespace stop_reason

struct ToolLoopInput {
  std::string system_prompt;
  /// Without the system prompt, oldest first; the last one is the question.
  std::vector<llm::ChatMessage> conversation;
  HandoffTools handoffs;
  /// Unset: any text is an answer.
  std::optional<StructuredAnswer> structured;
};

struct ToolLoopOutcome {
  std::string text;
  /// What followed the question: tool calls, their results, the answer.
  std::vector<llm::ChatMessage> messages;
  std::vector<std::string> tools_used;
  std::string handoff;
  std::string stop_reason;
  /// Of all calls of the model.
  messages::Usage usage;
};

/// What the model is told that it may use: handoffs first.
[[nodiscard]] std::vector<llm::ToolSpec> tool_specs(const ToolLoopInput& input, const tools::ToolBox& tools);
/// What a request has beside the messages of the conversation.
[[nodiscard]] std::uint64_t reserved_tokens(const ToolLoopInput& input, const tools::ToolBox& tools);

class ToolLoop {
 public:
  /// All must outlive the loop, which is used once.
  ToolLoop(const ToolLoopOptions& options, llm::ChatModel& model, const tools::ToolBox& tools, Context& context,
           TurnVoice& voice, ToolLoopInput input);

  /// Errors are those of the model; `upstream_failed` when a structured answer does not fit after all repairs;
  /// `invalid` when `tool_choice` names a tool that is not there; `cancelled`.
  Task<Result<ToolLoopOutcome>> run();

 private:
  using ModelOutcome = std::expected<llm::Completion, llm::ModelError>;

  Task<ModelOutcome> ask_model();
  [[nodiscard]] llm::ChatRequest next_request() const;
  [[nodiscard]] Result<> check_tool_choice() const;

  // Each of these ends the turn with true, or lets the loop go round with false.
  Task<Result<bool>> take_answer(llm::Completion completion);
  Task<Result<bool>> take_structured(std::string text);
  Task<Result<bool>> take_calls(llm::Completion completion);
  /// Runs the tools, or refuses them when they were used often enough.
  Task<Result<std::vector<messages::ToolResult>>> use_tools(const std::vector<messages::ToolCall>& calls);
  Task<Result<bool>> take_failure(llm::ModelError error);
  Task<Result<bool>> answer_with_results(const std::vector<messages::ToolResult>& results);
  Task<Result<bool>> hand_over(const std::string& text, const messages::ToolCall& transfer,
                               const std::vector<messages::ToolResult>& results);
  /// The text has not been streamed yet.
  Task<Result<bool>> say_answer(std::string text);

  void give_ids(std::vector<messages::ToolCall>& calls) const;
  void note_exchange(llm::ChatMessage message);

  const ToolLoopOptions& options_;
  llm::ChatModel& model_;
  const tools::ToolBox& tools_;
  Context& context_;
  TurnVoice& voice_;
  ToolLoopInput input_;
  std::vector<llm::ToolSpec> specs_;
  std::uint64_t reserved_tokens_ = 0;
  std::size_t question_ = 0;
  std::uint32_t rounds_ = 0;
  bool is_cut_off_ = false;  ///< tools were used often enough, and the model wanted more
  std::uint32_t repairs_ = 0;
  ToolLoopOutcome outcome_;
};

}  // namespace parley::kinds
