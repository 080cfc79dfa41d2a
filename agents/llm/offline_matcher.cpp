#include "agents/llm/offline_matcher.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "agents/llm/tool_call_accumulator.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::llm {

namespace {

bool contains(std::string_view text, std::string_view lower_pattern) {
  return ascii_lower(text).contains(lower_pattern);
}

std::string_view last_user_text(const ChatRequest& request) {
  for (const ChatMessage& message : std::views::reverse(request.messages)) {
    if (message.role == Role::user) return message.content;
  }
  return {};
}

/// Some message of the system (or none of it) contains the text.
bool is_said(const ChatRequest& request, const std::string& text, bool by_system) {
  const std::string lower = ascii_lower(text);
  return std::ranges::any_of(request.messages, [&](const ChatMessage& message) {
    return (message.role == Role::system) == by_system && contains(message.content, lower);
  });
}

std::string_view tool_of(const ChatRequest& request, const std::string& call_id) {
  for (const ChatMessage& message : std::views::reverse(request.messages)) {
    for (const messages::ToolCall& call : message.tool_calls) {
      if (call.id == call_id) return call.name;
    }
  }
  return {};
}

bool ends_with_tool_result(const ChatRequest& request) {
  const auto reversed = std::views::reverse(request.messages);
  const auto last =
      std::ranges::find_if(reversed, [](const ChatMessage& message) { return message.role != Role::system; });
  return last != reversed.end() && last->role == Role::tool;
}

bool is_call_number(const ChatRequest& request, std::uint32_t number) {
  return std::ranges::count(request.messages, Role::assistant, &ChatMessage::role) + 1 == number;
}

bool offers_tools(const ChatRequest& request, const std::vector<OfflineToolCall>& calls) {
  if (calls.empty()) return true;
  if (request.tool_choice.mode == ToolChoice::Mode::none) return false;
  return std::ranges::all_of(calls, [&](const OfflineToolCall& call) {
    return std::ranges::find(request.tools, call.name, &ToolSpec::name) != request.tools.end();
  });
}

}  // namespace

std::string expand(std::string_view text, const MatchGroups& groups) {
  if (!groups) return std::string(text);
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '$' || (next != '$' && (next < '0' || next > '9'))) {
      expanded += text[i];
      continue;
    }
    if (next == '$') {
      expanded += '$';
    } else {
      expanded += (*groups)[static_cast<std::size_t>(next - '0')];
    }
    ++i;
  }
  return expanded;
}

Result<CompiledPattern> CompiledPattern::make(const TextPattern& pattern) {
  CompiledPattern compiled;
  compiled.lower_ = ascii_lower(pattern.pattern);
  if (pattern.pattern.empty()) return fail(ErrorCode::bad_configuration, "the pattern is empty");
  if (pattern.match != TextPattern::Match::regex) return compiled;
  Result<Pattern> expression = Pattern::make(pattern.pattern, Pattern::LetterCase::any);
  if (!expression) {
    return fail(ErrorCode::bad_configuration, "not a regular expression of RE2: " + expression.error().message);
  }
  compiled.expression_ = std::move(*expression);
  return compiled;
}

std::optional<MatchGroups> CompiledPattern::match(std::string_view text) const {
  if (!expression_) return contains(text, lower_) ? std::optional<MatchGroups>(std::in_place) : std::nullopt;
  MatchGroups found = expression_->find(text);
  if (!found) return std::nullopt;
  return std::optional<MatchGroups>(std::in_place, std::move(found));
}

Result<OfflineMatcher> OfflineMatcher::make(const OfflineRule& rule) {
  OfflineMatcher matcher;
  if (rule.user) {
    Result<CompiledPattern> compiled = CompiledPattern::make(*rule.user);
    if (!compiled) return fail(std::move(compiled).error());
    matcher.user_ = std::move(*compiled);
  }
  if (rule.tool_result) {
    Result<CompiledPattern> compiled = CompiledPattern::make(*rule.tool_result);
    if (!compiled) return fail(std::move(compiled).error());
    matcher.tool_result_ = std::move(*compiled);
  }
  return matcher;
}

std::optional<MatchGroups> OfflineMatcher::match(const OfflineRule& rule, const ChatRequest& request) const {
  const bool is_for_results = rule.tool_result.has_value() || !rule.after_tool.empty();
  if (!is_for_results && !rule.call && ends_with_tool_result(request)) return std::nullopt;
  if (!rule.system.empty() && !is_said(request, rule.system, true)) return std::nullopt;
  if (!rule.history.empty() && !is_said(request, rule.history, false)) return std::nullopt;
  if (rule.call && !is_call_number(request, *rule.call)) return std::nullopt;
  if (!offers_tools(request, rule.tool_calls)) return std::nullopt;

  std::optional<MatchGroups> groups(std::in_place);
  if (user_) {
    groups = user_->match(last_user_text(request));
    if (!groups) return std::nullopt;
  }
  if (is_for_results) {
    std::optional<MatchGroups> of_result = match_tool_results(rule, request);
    if (!of_result) return std::nullopt;
    if (*of_result) groups = std::move(of_result);
  }
  return groups;
}

std::optional<MatchGroups> OfflineMatcher::match_tool_results(const OfflineRule& rule,
                                                              const ChatRequest& request) const {
  for (const ChatMessage& message : std::views::reverse(request.messages)) {
    if (message.role == Role::system) continue;
    if (message.role != Role::tool) return std::nullopt;
    if (!rule.after_tool.empty() && tool_of(request, message.tool_call_id) != rule.after_tool) continue;
    if (!tool_result_) return std::optional<MatchGroups>(std::in_place);
    if (std::optional<MatchGroups> groups = tool_result_->match(message.content)) return groups;
  }
  return std::nullopt;
}

}  // namespace parley::llm
