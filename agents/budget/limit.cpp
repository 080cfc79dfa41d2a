#include "agents/budget/limit.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/ids.hpp"

namespace parley::budget {
namespace {

constexpr std::uint64_t kNanoPerUsd = 1'000'000'000;

template <class Names>
std::optional<std::size_t> index_of(const Names& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

/// A name goes into file names of nothing, but into labels of metrics and command lines.
bool is_valid_name(std::string_view name) { return name.size() <= kMaxNameBytes && is_valid_agent_type(name); }

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c != 0x7F; });
}

}  // namespace

std::string_view to_string(Scope scope) { return kScopeNames.at(static_cast<std::size_t>(scope)); }
std::string_view to_string(Period period) { return kPeriodNames.at(static_cast<std::size_t>(period)); }

Result<Limit> limit_from(const messages::BudgetLimit& message) {
  const auto wrong = [](std::string text) { return fail(ErrorCode::invalid, std::move(text)); };
  const auto scope = index_of(kScopeNames, message.scope);
  const auto period = index_of(kPeriodNames, message.per);
  if (!is_valid_name(message.name)) return wrong("name: expected letters, digits and _ . -, at most 64");
  if (!scope) return wrong("scope: expected all, agent_type, agent, conversation or model");
  if (!period) return wrong("per: expected hour, day, month or total");
  Limit limit;
  limit.name = message.name;
  limit.scope = static_cast<Scope>(*scope);
  limit.period = static_cast<Period>(*period);
  limit.subject = message.subject;
  limit.is_soft = message.is_soft;
  if (message.has_usd) limit.nano_usd = message.nano_usd;
  if (message.has_tokens) limit.tokens = message.tokens;
  if (!limit.nano_usd && !limit.tokens) return wrong("expected an amount: usd, tokens or both");
  if ((limit.scope == Scope::all) != limit.subject.empty()) {
    return wrong("subject: expected whom the limit is for ('*': each one for itself), and none for everything");
  }
  if (limit.subject.size() > kMaxSubjectBytes || !is_printable(limit.subject)) {
    return wrong("subject: expected at most 512 bytes without control characters");
  }
  return limit;
}

messages::BudgetLimit to_message(const Limit& limit) {
  messages::BudgetLimit message;
  message.name = limit.name;
  message.scope = to_string(limit.scope);
  message.subject = limit.subject;
  message.per = to_string(limit.period);
  message.has_usd = limit.nano_usd.has_value();
  message.nano_usd = limit.nano_usd.value_or(0);
  message.has_tokens = limit.tokens.has_value();
  message.tokens = limit.tokens.value_or(0);
  message.is_soft = limit.is_soft;
  return message;
}

std::string format_usd(std::uint64_t nano_usd) {
  const double usd = static_cast<double>(nano_usd) / static_cast<double>(kNanoPerUsd);
  if (nano_usd == 0 || usd >= 1) return fmt::format("{:.2f} USD", usd);
  if (usd >= 0.01) return fmt::format("{:.4f} USD", usd);
  return fmt::format("{:.9f} USD", usd);
}

std::string describe(Scope scope, std::string_view subject) {
  constexpr std::array<std::string_view, 5> kWords{"everything", "agent type", "agent", "conversation", "model"};
  const std::string_view word = kWords.at(static_cast<std::size_t>(scope));
  if (scope == Scope::all) return std::string(word);
  if (subject == kEach) return fmt::format("each {}", word);
  return fmt::format("{} {}", word, subject);
}

}  // namespace parley::budget
