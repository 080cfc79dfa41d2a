#include "agents/llm/chat_accumulator.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {

FinishReason finish_reason_of(std::string_view name) {
  if (name == "stop") return FinishReason::stop;
  if (name == "length") return FinishReason::length;
  if (name == "content_filter") return FinishReason::content_filter;
  if (name == "tool_calls" || name == "function_call") return FinishReason::tool_calls;
  return FinishReason::unknown;
}

}  // namespace

std::expected<std::string, ModelError> ChatAccumulator::add(std::string_view data) {
  if (is_done_) return std::string();
  if (data == "[DONE]") {
    is_done_ = true;
    return std::string();
  }
  const auto event = parse_json(data);
  if (!event || !event->is_object()) {
    return std::unexpected(with_usage(
        {.error = {
             ErrorCode::upstream_failed,
             site_.str() + " sent what is not a JSON object; is the base URL that of an OpenAI-compatible server?"}}));
  }
  if (!member(*event, "error").is_null()) return std::unexpected(with_usage(error_of_stream(*event, site_)));

  if (const std::string_view model = text_member(*event, "model"); !model.empty()) model_ = model;
  take_usage(member(*event, "usage"));
  std::string added;
  if (const nlohmann::json& choices = member(*event, "choices"); choices.is_array()) {
    for (const nlohmann::json& choice : choices) {
      // One answer is asked for; a server that sends several must not get them mixed.
      if (count_member(choice, "index").value_or(0) == 0) added += add_choice(choice);
    }
  }
  text_ += added;
  return added;
}

std::expected<std::string, ModelError> ChatAccumulator::add_whole(std::string_view body) {
  auto added = add(body);
  is_done_ = true;
  return added;
}

std::string ChatAccumulator::add_choice(const nlohmann::json& choice) {
  has_choice_ = true;
  const nlohmann::json& delta = member(choice, "delta");
  const nlohmann::json& content = delta.is_object() ? delta : member(choice, "message");
  if (const nlohmann::json& calls = member(content, "tool_calls"); calls.is_array() && !calls.empty()) {
    has_tool_calls_ = true;
  }
  if (const std::string_view reason = text_member(choice, "finish_reason"); !reason.empty()) {
    finish_reason_ = finish_reason_of(reason);
  }
  std::string added(text_member(content, "content"));
  if (const std::string_view refusal = text_member(content, "refusal"); !refusal.empty()) added += refusal;
  return added;
}

void ChatAccumulator::take_usage(const nlohmann::json& usage) {
  const auto input = count_member(usage, "prompt_tokens");
  const auto output = count_member(usage, "completion_tokens");
  if (!input || !output) return;
  messages::Usage taken;
  taken.input_tokens = *input;
  taken.output_tokens = *output;
  taken.cached_input_tokens = count_member(member(usage, "prompt_tokens_details"), "cached_tokens").value_or(0);
  taken.reasoning_tokens = count_member(member(usage, "completion_tokens_details"), "reasoning_tokens").value_or(0);
  usage_ = std::move(taken);
}

messages::Usage ChatAccumulator::usage() const {
  messages::Usage usage;
  if (usage_) {
    usage = *usage_;
  } else {
    usage.input_tokens = estimated_input_;
    usage.output_tokens = estimate_tokens(text_);
    usage.is_estimated = true;
  }
  usage.model = model_.empty() ? site_.model : model_;
  return usage;
}

std::expected<Completion, ModelError> ChatAccumulator::finish() const {
  if (!is_complete()) {
    return std::unexpected(
        with_usage({.error = {ErrorCode::upstream_failed, site_.str() + " broke its answer off after " +
                                                              std::to_string(text_.size()) + " bytes; try again"}}));
  }
  if (!has_choice_) {
    return std::unexpected(with_usage(
        {.error = {ErrorCode::upstream_failed,
                   site_.str() + " sent no answer; is the base URL that of an OpenAI-compatible server?", false}}));
  }
  Completion completion;
  completion.text = text_;
  completion.finish_reason =
      has_tool_calls_ ? FinishReason::tool_calls : finish_reason_.value_or(FinishReason::unknown);
  completion.usage = usage();
  return completion;
}

ModelError ChatAccumulator::with_usage(ModelError error) const {
  if (!text_.empty() || usage_) error.usage = usage();
  return error;
}

}  // namespace parley::llm
