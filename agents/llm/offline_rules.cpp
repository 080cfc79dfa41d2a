#include "agents/llm/offline_rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "agents/llm/fingerprint.hpp"
#include "agents/llm/json_schema.hpp"
#include "agents/llm/json_text.hpp"
#include "agents/llm/offline_matcher.hpp"
#include "agents/llm/token_estimate.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::llm {

namespace {

/// What is wrong with a rule beyond its patterns; empty: nothing.
std::string problem_of(const OfflineRule& rule) {
  if (!rule.user && !rule.tool_result && !rule.call && rule.after_tool.empty() && rule.system.empty() &&
      rule.history.empty()) {
    return "it has no condition";
  }
  for (const OfflineToolCall& call : rule.tool_calls) {
    const auto arguments = parse_json(call.arguments);
    if (call.name.empty()) return "a tool call has no name";
    if (!arguments || !arguments->is_object()) return "the arguments of '" + call.name + "' are no JSON object";
  }
  return {};
}

std::string name_of(std::size_t index, const OfflineRule& rule) {
  std::string name = "rule " + std::to_string(index + 1);
  if (rule.user) return name + " ('" + rule.user->pattern + "')";
  if (rule.tool_result) return name + " ('" + rule.tool_result->pattern + "')";
  return name;
}

/// The same for the same conversation in every process, and another one when a message has come since.
std::string fingerprint_of(const ChatRequest& request) {
  Fingerprint fingerprint;
  fingerprint.add(request.caller.agent);
  fingerprint.add(request.caller.conversation);
  for (const ChatMessage& message : request.messages) {
    fingerprint.add(message.content);
    fingerprint.add(message.tool_call_id);
    for (const messages::ToolCall& call : message.tool_calls) fingerprint.add(call.id);
  }
  return fingerprint.str();
}

/// Groups go into the texts of the arguments, so that a quotation mark in them does not break the JSON.
void expand_texts(nlohmann::json& value, const MatchGroups& groups) {
  if (value.is_string()) {
    value = expand(value.get_ref<const std::string&>(), groups);
  } else if (value.is_structured()) {
    for (nlohmann::json& each : value) expand_texts(each, groups);
  }
}

std::vector<OfflineToolCall> expanded(const std::vector<OfflineToolCall>& calls, const MatchGroups& groups) {
  std::vector<OfflineToolCall> result = calls;
  if (!groups) return result;
  for (OfflineToolCall& call : result) {
    if (auto arguments = parse_json(call.arguments)) {
      expand_texts(*arguments, groups);
      call.arguments = to_text(*arguments);
    }
  }
  return result;
}

/// What a request insists on although no rule matches: the tool it names, or any.
std::vector<OfflineToolCall> required_calls(const ChatRequest& request) {
  const ToolChoice& choice = request.tool_choice;
  for (const ToolSpec& tool : request.tools) {
    const bool is_wanted = choice.mode == ToolChoice::Mode::required ||
                           (choice.mode == ToolChoice::Mode::named && choice.name == tool.name);
    if (is_wanted) return {{tool.name, to_text(sample_of_schema(parse_schema(tool.parameters)))}};
  }
  return {};
}

void shorten(std::string& text, const ChatRequest& request, Completion& completion) {
  for (const std::string& stop : request.stop) {
    if (!stop.empty()) text.resize(std::min(text.size(), text.find(stop)));
  }
  if (request.max_tokens && estimate_tokens(text) > *request.max_tokens) {
    text.resize(utf8_prefix(text, std::size_t{*request.max_tokens} * 4).size());
    completion.finish_reason = FinishReason::length;
  }
}

void add_tool_calls(std::vector<OfflineToolCall> calls, const ChatRequest& request, Completion& completion) {
  if (!request.is_parallel_tool_calls_allowed && calls.size() > 1) calls.resize(1);
  if (calls.empty()) return;
  completion.finish_reason = FinishReason::tool_calls;
  const std::string id = "call_" + fingerprint_of(request) + "_";
  for (OfflineToolCall& call : calls) {
    completion.tool_calls.push_back(
        {id + std::to_string(completion.tool_calls.size() + 1), std::move(call.name), std::move(call.arguments)});
  }
}

std::uint64_t output_tokens_of(const Completion& completion) {
  std::uint64_t tokens = estimate_tokens(completion.text);
  for (const messages::ToolCall& call : completion.tool_calls) {
    tokens += estimate_tokens(call.name) + estimate_tokens(call.arguments);
  }
  return tokens;
}

}  // namespace

Result<OfflineRules> OfflineRules::make(OfflineOptions options) {
  OfflineRules rules;
  std::string problems;
  for (std::size_t i = 0; i < options.rules.size(); ++i) {
    const OfflineRule& rule = options.rules[i];
    Result<OfflineMatcher> matcher = OfflineMatcher::make(rule);
    const std::string problem = matcher ? problem_of(rule) : matcher.error().message;
    if (!problem.empty()) problems += (problems.empty() ? "" : "; ") + name_of(i, rule) + ": " + problem;
    if (matcher) rules.matchers_.push_back(std::make_shared<const OfflineMatcher>(std::move(*matcher)));
  }
  if (!problems.empty()) return fail(ErrorCode::bad_configuration, "offline model: " + problems);
  rules.options_ = std::move(options);
  return rules;
}

OfflineRules::Reply OfflineRules::reply(const ChatRequest& request) const {
  const OfflineRule* matched = nullptr;
  MatchGroups groups;
  for (std::size_t i = 0; i < matchers_.size() && matched == nullptr; ++i) {
    if (std::optional<MatchGroups> found = matchers_[i]->match(options_.rules[i], request)) {
      matched = &options_.rules[i];
      groups = std::move(*found);
    }
  }
  Reply reply{.completion = {}, .latency = options_.latency, .error = std::nullopt};
  std::vector<OfflineToolCall> calls;
  std::string text = options_.default_reply;
  if (matched != nullptr) {
    text = expand(matched->reply, groups);
    calls = expanded(matched->tool_calls, groups);
    reply.latency = matched->latency.value_or(options_.latency);
    if (matched->error) reply.error = Error(*matched->error, "the offline model was told to fail: " + text);
  } else {
    calls = required_calls(request);
    if (!calls.empty()) text.clear();
    if (request.response_schema) text = to_text(sample_of_schema(parse_schema(request.response_schema->schema)));
  }
  if (!text.empty() && !request.response_schema) text.insert(0, options_.prefix);

  Completion& completion = reply.completion;
  shorten(text, request, completion);
  completion.text = std::move(text);
  add_tool_calls(std::move(calls), request, completion);
  completion.usage.model = kOfflineModelName;
  completion.usage.input_tokens = estimate_input_tokens(request);
  completion.usage.output_tokens = output_tokens_of(completion);
  if (matched != nullptr) {
    completion.usage.input_tokens = matched->input_tokens.value_or(completion.usage.input_tokens);
    completion.usage.output_tokens = matched->output_tokens.value_or(completion.usage.output_tokens);
  }
  return reply;
}

std::vector<std::string_view> split_chunks(std::string_view text, std::size_t chunk_bytes) {
  std::vector<std::string_view> chunks;
  if (chunk_bytes == 0) chunk_bytes = text.size();
  while (!text.empty()) {
    std::size_t size = utf8_prefix(text, chunk_bytes).size();
    if (size == 0) {  // one character is larger than a chunk
      size = 1;
      while (size < text.size() && is_utf8_continuation(text[size])) ++size;
    }
    chunks.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return chunks;
}

}  // namespace parley::llm
