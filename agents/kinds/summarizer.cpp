#include "agents/kinds/summarizer.hpp"

#include <spdlog/spdlog.h>
#include <utility>

#include "agents/llm/turn_call.hpp"

namespace parley::kinds {

Task<Result<std::optional<std::string>>> Summarizer::sum_up(std::string_view earlier,
                                                            std::span<const llm::ChatMessage> messages) {
  llm::ChatRequest request;
  request.messages = summary_messages(options_, earlier, messages);
  request.temperature = 0;
  request.max_tokens = options_.max_tokens;
  request.deadline = context_.deadline();
  // Nobody is to see the pieces; they show that the model is at work.
  llm::ChunkSink sink = [](std::string_view) -> Task<Result<>> { co_return Result<>{}; };
  std::expected<llm::Completion, llm::ModelError> completion =
      co_await llm::complete_in_turn(model_, std::move(request), context_, std::move(sink));
  if (completion) {
    usage_ += completion->usage;
    if (completion->text.empty()) co_return std::nullopt;
    co_return std::move(completion->text);
  }
  if (completion.error().usage) usage_ += *completion.error().usage;
  const Error& error = completion.error().error;
  // A budget that refuses the summary is left to judge the turn's own calls, whose refusal has a fallback.
  const bool is_end = error.code == ErrorCode::cancelled || error.code == ErrorCode::timeout;
  if (is_end) co_return fail(error);
  spdlog::warn("event=summary_failed agent={} code={}", context_.self().type(), to_string(error.code));
  co_return std::nullopt;
}

}  // namespace parley::kinds
