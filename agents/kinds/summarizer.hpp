// Has a model sum up the oldest part of a conversation. Loop thread only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agents/kinds/running_summary.hpp"
#include "agents/llm/chat_model.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::kinds {

class Summarizer {
 public:
  /// All must outlive the summarizer, which belongs to one turn.
  Summarizer(const SummaryOptions& options, llm::ChatModel& model, Context& context)
      : options_(options), model_(model), context_(context) {}

  /// The summary of `earlier` and the messages. nullopt when the model failed in a way that the turn can do without:
  /// what does not fit is then left out. Fails with `cancelled` and `timeout`. Both views must be valid until the task
  /// has completed.
  Task<Result<std::optional<std::string>>> sum_up(std::string_view earlier, std::span<const llm::ChatMessage> messages);

  /// What that cost, failed calls included.
  [[nodiscard]] const messages::Usage& usage() const { return usage_; }

 private:
  const SummaryOptions& options_;
  llm::ChatModel& model_;
  Context& context_;
  messages::Usage usage_;
};

}  // namespace parley::kinds
