#include "agents/kinds/model_context.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agents/llm/token_estimate.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using MessageSpan = std::span<const ChatMessage>;
using ContextStrategy = ContextLimits::Strategy;

/// Messages that belong together: one, or tool calls with their results.
struct ExchangeUnit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t tokens = 0;
  bool is_kept = false;

  [[nodiscard]] std::size_t size() const { return end - begin; }
};

std::vector<ExchangeUnit> units_of(MessageSpan conversation) {
  std::vector<ExchangeUnit> units;
  for (std::size_t i = 0; i < conversation.size(); ++i) {
    if (conversation[i].role != Role::tool || units.empty()) units.push_back({.begin = i});
    units.back().end = i + 1;
    units.back().tokens += llm::estimate_tokens(conversation[i]);
  }
  return units;
}

/// What can be spent on messages or tokens; the question and the newest unit are taken whatever they cost.
class ContextSelection {
 public:
  ContextSelection(MessageSpan conversation, std::size_t question) : units_(units_of(conversation)) {
    for (ExchangeUnit& unit : units_) {
      if (question >= unit.begin && question < unit.end) keep(unit);
    }
    if (!units_.empty()) keep(units_.back());
  }

  /// Newest first, until one does not fit any more.
  template <class Cost>
  void keep_tail(std::uint64_t budget, Cost cost) {
    std::uint64_t spent = 0;
    for (const ExchangeUnit& unit : units_) spent += unit.is_kept ? cost(unit) : 0;
    for (std::size_t i = units_.size(); i-- > 0;) {
      if (units_[i].is_kept) continue;
      spent += cost(units_[i]);
      if (spent > budget) return;
      keep(units_[i]);
    }
  }

  void keep_head(std::size_t messages) {
    for (ExchangeUnit& unit : units_) {
      if (unit.size() > messages) return;
      messages -= unit.size();
      unit.is_kept = true;
    }
  }

  [[nodiscard]] const std::vector<ExchangeUnit>& units() const { return units_; }

 private:
  static void keep(ExchangeUnit& unit) { unit.is_kept = true; }

  std::vector<ExchangeUnit> units_;
};

std::size_t count_of(const ExchangeUnit& unit) { return unit.size(); }
std::uint64_t tokens_of_unit(const ExchangeUnit& unit) { return unit.tokens; }

ContextSelection select(MessageSpan conversation, std::size_t question, const ContextLimits& limits,
                        std::uint64_t reserved_tokens) {
  ContextSelection selection(conversation, question);
  switch (limits.strategy) {
    case ContextStrategy::everything:
      selection.keep_head(conversation.size());
      break;
    case ContextStrategy::last_messages:
      selection.keep_tail(limits.max_messages, count_of);
      break;
    case ContextStrategy::head_and_tail:
      selection.keep_tail(limits.tail, count_of);
      selection.keep_head(limits.head);
      break;
    case ContextStrategy::token_budget:
    case ContextStrategy::summary:
      selection.keep_tail(limits.max_tokens - std::min(limits.max_tokens, reserved_tokens), tokens_of_unit);
      break;
  }
  return selection;
}

std::uint64_t total_tokens(MessageSpan conversation) {
  std::uint64_t total = 0;
  for (const ChatMessage& message : conversation) total += llm::estimate_tokens(message);
  return total;
}

}  // namespace

ChatMessage left_out_note(std::size_t count) {
  const std::string messages = count == 1 ? "1 earlier message is" : std::to_string(count) + " earlier messages are";
  return {.role = Role::user, .content = "[" + messages + " left out here]"};
}

ContextView fit(MessageSpan conversation, std::size_t question, const ContextLimits& limits,
                std::uint64_t reserved_tokens) {
  const ContextSelection selection = select(conversation, question, limits, reserved_tokens);
  ContextView view;
  std::size_t gap = 0;
  for (const ExchangeUnit& unit : selection.units()) {
    if (!unit.is_kept) {
      gap += unit.size();
      continue;
    }
    const bool would_begin_with_answer = view.messages.empty() && conversation[unit.begin].role != Role::user;
    const bool is_noted = would_begin_with_answer || limits.strategy == ContextStrategy::head_and_tail;
    if (gap > 0 && is_noted) view.messages.push_back(left_out_note(gap));
    view.left_out += std::exchange(gap, 0);
    for (std::size_t i = unit.begin; i < unit.end; ++i) view.messages.push_back(conversation[i]);
  }
  return view;
}

std::size_t messages_to_fold(MessageSpan conversation, std::size_t question, const ContextLimits& limits,
                             std::uint64_t reserved_tokens) {
  if (limits.strategy != ContextStrategy::summary) return 0;
  if (total_tokens(conversation) + reserved_tokens <= limits.max_tokens) return 0;
  // The question stays, and so do the messages before it that are to be kept.
  const std::size_t last = std::min(question, conversation.size());
  std::size_t fold = last - std::min(last, limits.keep_messages);
  while (fold > 0 && fold < conversation.size() && conversation[fold].role != Role::user) --fold;
  return fold;
}

std::uint64_t digest_of(MessageSpan messages) {
  // FNV-1a. Nobody gains by a collision: the summary is of the same assistant's own thread.
  std::uint64_t digest = 14695981039346656037U;
  const auto take = [&digest](std::string_view text) {
    for (const char byte : text) digest = (digest ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    digest = (digest ^ 0xFFU) * 1099511628211U;
  };
  for (const ChatMessage& message : messages) {
    const char role = static_cast<char>('0' + static_cast<int>(message.role));
    take(std::string_view(&role, 1));
    take(message.content);
  }
  return digest;
}

}  // namespace parley::kinds
