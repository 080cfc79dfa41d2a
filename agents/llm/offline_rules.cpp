#include "agents/llm/offline_rules.hpp"

#include <algorithm>
#include <utility>

#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// At most `bytes` of the text, cut before the character that would not fit.
std::string_view prefix_of(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && is_continuation(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

std::string_view last_user_text(const ChatRequest& request) {
  const auto found =
      std::ranges::find(request.messages.rbegin(), request.messages.rend(), Role::user, &ChatMessage::role);
  return found == request.messages.rend() ? std::string_view() : std::string_view(found->content);
}

std::string expand(std::string_view reply, const std::cmatch& groups) {
  std::string text;
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const char next = i + 1 < reply.size() ? reply[i + 1] : '\0';
    if (reply[i] != '$' || (next != '$' && (next < '0' || next > '9'))) {
      text += reply[i];
      continue;
    }
    if (next == '$') {
      text += '$';
    } else {
      text += groups[static_cast<std::size_t>(next - '0')].str();
    }
    ++i;
  }
  return text;
}

std::string name_of(std::size_t index, const OfflineRule& rule) {
  return "rule " + std::to_string(index + 1) + " ('" + rule.pattern + "')";
}

}  // namespace

Result<OfflineRules> OfflineRules::make(OfflineOptions options) {
  OfflineRules rules;
  std::string problems;
  for (std::size_t i = 0; i < options.rules.size(); ++i) {
    const OfflineRule& rule = options.rules[i];
    CompiledRule compiled{.rule = rule, .lower_pattern = to_lower(rule.pattern), .expression = {}};
    std::string problem;
    if (rule.pattern.empty()) problem = "the pattern is empty";
    if (rule.match == OfflineRule::Match::regex) {
      try {
        // libstdc++'s breadth-first matcher: its stack does not grow with the text, and no expression takes
        // exponential time.
        compiled.expression.assign(rule.pattern, std::regex::ECMAScript | std::regex::icase | std::regex::optimize |
                                                     std::regex_constants::__polynomial);
      } catch (const std::regex_error& error) {
        problem = std::string("not a regular expression that the offline model knows: ") + error.what();
      }
    }
    if (!problem.empty()) problems += (problems.empty() ? "" : "; ") + name_of(i, rule) + ": " + problem;
    rules.rules_.push_back(std::move(compiled));
  }
  if (!problems.empty()) return fail(ErrorCode::bad_configuration, "offline model: " + problems);
  rules.options_ = std::move(options);
  return rules;
}

std::optional<std::string> OfflineRules::apply(const CompiledRule& rule, std::string_view text) {
  if (rule.rule.match == OfflineRule::Match::regex) {
    std::cmatch groups;
    const std::string_view start = prefix_of(text, kMaxMatchedBytes);
    if (!std::regex_search(start.data(), start.data() + start.size(), groups, rule.expression)) return std::nullopt;
    return expand(rule.rule.reply, groups);
  }
  const auto found = std::ranges::search(text, rule.lower_pattern, {}, [](char c) { return to_lower(c); });
  if (found.empty()) return std::nullopt;
  return rule.rule.reply;
}

OfflineRules::Reply OfflineRules::reply(const ChatRequest& request) const {
  const std::string_view text = last_user_text(request);
  std::string answer = options_.default_reply;
  const OfflineRule* matched = nullptr;
  for (const CompiledRule& rule : rules_) {
    if (std::optional<std::string> reply = apply(rule, text)) {
      answer = std::move(*reply);
      matched = &rule.rule;
      break;
    }
  }
  answer.insert(0, options_.prefix);
  for (const std::string& stop : request.stop) {
    if (!stop.empty()) answer.resize(std::min(answer.size(), answer.find(stop)));
  }

  Reply reply;
  Completion& completion = reply.completion;
  if (request.max_tokens && estimate_tokens(answer) > *request.max_tokens) {
    answer = prefix_of(answer, std::size_t{*request.max_tokens} * 4);
    completion.finish_reason = FinishReason::length;
  }
  completion.usage.model = kOfflineModelName;
  completion.usage.input_tokens =
      matched != nullptr && matched->input_tokens ? *matched->input_tokens : estimate_tokens(request.messages);
  completion.usage.output_tokens =
      matched != nullptr && matched->output_tokens ? *matched->output_tokens : estimate_tokens(answer);
  completion.text = std::move(answer);
  reply.latency = matched != nullptr ? matched->latency.value_or(options_.latency) : options_.latency;
  return reply;
}

std::vector<std::string_view> split_chunks(std::string_view text, std::size_t chunk_bytes) {
  std::vector<std::string_view> chunks;
  if (chunk_bytes == 0) chunk_bytes = text.size();
  while (!text.empty()) {
    std::size_t size = prefix_of(text, chunk_bytes).size();
    if (size == 0) {  // one character is larger than a chunk
      size = 1;
      while (size < text.size() && is_continuation(text[size])) ++size;
    }
    chunks.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return chunks;
}

}  // namespace parley::llm
