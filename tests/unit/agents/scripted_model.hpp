// A chat model that answers what a test tells it and remembers what it was asked.
#pragma once

#include <deque>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::test {

class ScriptedModel final : public llm::ChatModel {
 public:
  void will_answer(std::string text) {
    llm::Completion completion;
    completion.text = std::move(text);
    completion.usage = {"scripted", 10, 5, 0, 0, false};
    script_.emplace_back(std::move(completion));
  }
  /// Asks for tools, perhaps with words before.
  void will_call(std::vector<messages::ToolCall> calls, std::string text = {}) {
    will_answer(std::move(text));
    script_.back()->tool_calls = std::move(calls);
    script_.back()->finish_reason = llm::FinishReason::tool_calls;
  }
  /// Changes what comes last in the script.
  llm::Completion& last() { return *script_.back(); }
  [[nodiscard]] bool is_done() const { return script_.empty(); }
  void will_fail(ErrorCode code, std::string message) {
    script_.emplace_back(std::unexpect, llm::ModelError{Error(code, std::move(message))});
  }

  Task<std::expected<llm::Completion, llm::ModelError>> complete(llm::ChatRequest request,
                                                                 llm::ChunkSink on_chunk) override {
    requests.push_back(std::move(request));
    std::expected<llm::Completion, llm::ModelError> next = std::move(script_.at(0));
    script_.pop_front();
    if (next && on_chunk) {
      // In two pieces, so that order can be seen.
      const std::string text = next->text;
      const std::size_t half = text.size() / 2;
      for (const std::string_view piece :
           {std::string_view(text).substr(0, half), std::string_view(text).substr(half)}) {
        const Result<> taken = co_await on_chunk(piece);
        if (!taken) co_return std::unexpected(llm::ModelError{taken.error()});
      }
    }
    co_return next;
  }

  std::vector<llm::ChatRequest> requests;

 private:
  std::deque<std::expected<llm::Completion, llm::ModelError>> script_;
};

}  // namespace parley::test
