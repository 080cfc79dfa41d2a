#include "agents/teams/termination.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/core/duration.hpp"

namespace parley::teams {

namespace {

using Kind = Condition::Kind;

/// UTF-8 bytes beyond ASCII count as letters.
bool is_word_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
         byte >= 0x80U;
}

std::size_t count(const Condition& condition) {
  std::size_t total = 1;
  for (const Condition& child : condition.children) total += count(child);
  return total;
}

bool is_by(const Condition& condition, std::string_view name) {
  return condition.by.empty() || std::ranges::find(condition.by, name) != condition.by.end();
}

bool is_met_by(const Condition& condition, const Utterance& utterance) {
  switch (condition.kind) {
    case Kind::text:
      return is_by(condition, utterance.from) && says(utterance.text, condition.value);
    case Kind::source:
      return is_by(condition, utterance.from);
    case Kind::tool_call:
      return std::ranges::find(utterance.tools_used, condition.value) != utterance.tools_used.end();
    case Kind::handoff:
      return utterance.handoff == condition.value;
    default:
      return false;
  }
}

/// Of a condition about amounts: the reason, if the amount is reached.
std::string reached(std::string_view name, std::uint64_t amount, std::uint64_t limit) {
  return amount >= limit ? std::string(name) + ":" + std::to_string(limit) : std::string();
}

std::string said_reason(const Condition& condition, const Progress& progress) {
  for (const Utterance& utterance : progress.said) {
    if (!is_met_by(condition, utterance)) continue;
    switch (condition.kind) {
      case Kind::text:
        return "text:" + condition.value;
      case Kind::source:
        return "source:" + std::string(utterance.from);
      case Kind::tool_call:
        return "tool_call:" + condition.value;
      default:
        return "handoff:" + condition.value;
    }
  }
  return {};
}

std::string leaf_reason(const Condition& condition, const Progress& progress) {
  const messages::Usage& usage = progress.usage;
  switch (condition.kind) {
    case Kind::messages:
      return reached("messages", progress.messages, condition.limit);
    case Kind::tokens:
      return reached("token_budget", usage.input_tokens + usage.output_tokens, condition.limit);
    case Kind::input_tokens:
      return reached("input_tokens", usage.input_tokens, condition.limit);
    case Kind::output_tokens:
      return reached("output_tokens", usage.output_tokens, condition.limit);
    case Kind::money:
      return usage.cost_nano_usd >= condition.limit ? "money:" + dollars(condition.limit) : std::string();
    case Kind::time:
      return progress.elapsed >= condition.time ? "time:" + format_duration(condition.time) : std::string();
    case Kind::external:
      return progress.stop ? "external:" + *progress.stop : std::string();
    case Kind::agent: {
      const auto verdict = progress.verdicts.find(condition.value);
      return verdict == progress.verdicts.end() ? std::string() : "agent:" + condition.value + ": " + verdict->second;
    }
    default:
      return said_reason(condition, progress);
  }
}

void collect_judges(const Condition& condition, const std::vector<std::string>& met, std::size_t& index,
                    std::vector<std::string>& judges) {
  const std::string& reason = met[index++];
  const bool is_open = condition.kind == Kind::agent && reason.empty();
  if (is_open && std::ranges::find(judges, condition.value) == judges.end()) judges.push_back(condition.value);
  for (const Condition& child : condition.children) collect_judges(child, met, index, judges);
}

}  // namespace

std::string dollars(std::uint64_t nano_usd) {
  std::string fraction = std::to_string(1'000'000'000 + nano_usd % 1'000'000'000).substr(1);
  fraction.erase(std::max<std::size_t>(fraction.find_last_not_of('0') + 1, 2));
  return "$" + std::to_string(nano_usd / 1'000'000'000) + "." + fraction;
}

bool says(std::string_view text, std::string_view phrase) {
  if (phrase.empty()) return false;
  for (std::size_t at = text.find(phrase); at != std::string_view::npos; at = text.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool is_joined_before = at > 0 && is_word_character(text[at - 1]) && is_word_character(phrase.front());
    const bool is_joined_after = end < text.size() && is_word_character(text[end]) && is_word_character(phrase.back());
    if (!is_joined_before && !is_joined_after) return true;
  }
  return false;
}

Termination::Termination(std::optional<Condition> root) : root_(std::move(root)), met_(root_ ? count(*root_) : 0) {}

std::optional<std::string> Termination::look(const Progress& progress) {
  if (!root_) return std::nullopt;
  std::size_t index = 0;
  std::string reason = look_at(*root_, progress, index);
  return reason.empty() ? std::nullopt : std::optional(std::move(reason));
}

std::string Termination::look_at(const Condition& condition, const Progress& progress, std::size_t& index) {
  const std::size_t own = index++;
  if (condition.children.empty()) {
    if (met_[own].empty()) met_[own] = leaf_reason(condition, progress);
    return met_[own];
  }
  // Every child looks, also behind one that is met: an `all` around this one may need it later.
  std::string first;
  std::string together;
  bool are_all_met = true;
  for (const Condition& child : condition.children) {
    const std::string reason = look_at(child, progress, index);
    are_all_met = are_all_met && !reason.empty();
    if (reason.empty()) continue;
    if (first.empty()) first = reason;
    together += (together.empty() ? "" : " and ") + reason;
  }
  if (condition.kind == Kind::all) first = are_all_met ? together : std::string();
  if (met_[own].empty()) met_[own] = std::move(first);
  return met_[own];
}

void Termination::reset() { std::ranges::fill(met_, std::string()); }

std::vector<std::string> Termination::judges() const {
  std::vector<std::string> judges;
  std::size_t index = 0;
  if (root_) collect_judges(*root_, met_, index, judges);
  return judges;
}

std::vector<std::string> Termination::save() const { return met_; }

Result<> Termination::load(const std::vector<std::string>& reasons) {
  if (reasons.size() != met_.size()) {
    return fail(ErrorCode::invalid, "the saved conversation had other conditions of termination");
  }
  met_ = reasons;
  return {};
}

}  // namespace parley::teams
