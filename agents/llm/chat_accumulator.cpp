#include "agents/llm/chat_accumulator.hpp"

#include <algorithm>
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

ModelError too_many_tool_calls(const CallSite& site) {
  return {.error = {ErrorCode::upstream_failed,
                    site.str() + " wants more than " + std::to_string(ToolCallAccumulator::kMaxCalls) +
                        " tools used at once; its answer is not usable",
                    false}};
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
      if (count_member(choice, "index").value_or(0) != 0) continue;
      has_choice_ = true;
      if (!add_tool_calls(choice)) return std::unexpected(with_usage(too_many_tool_calls(site_)));
      const nlohmann::json& delta = member(choice, "delta");
      added += add_text(delta.is_object() ? delta : member(choice, "message"));
      if (const std::string_view reason = text_member(choice, "finish_reason"); !reason.empty()) {
        finish_reason_ = finish_reason_of(reason);
      }
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

bool ChatAccumulator::add_tool_calls(const nlohmann::json& choice) {
  if (const nlohmann::json& pieces = member(member(choice, "delta"), "tool_calls"); pieces.is_array()) {
    return std::ranges::all_of(pieces, [this](const nlohmann::json& piece) { return tool_calls_.add(piece); });
  }
  if (const nlohmann::json& calls = member(member(choice, "message"), "tool_calls"); calls.is_array()) {
    return std::ranges::all_of(calls, [this](const nlohmann::json& call) { return tool_calls_.add_whole(call); });
  }
  return true;
}

std::string ChatAccumulator::add_text(const nlohmann::json& content) {
  // vLLM and llama.cpp call it reasoning_content, Ollama and gateways reasoning.
  reasoning_bytes_ += text_member(content, "reasoning_content").size() + text_member(content, "reasoning").size();
  std::string added(text_member(content, "content"));
  if (const std::string_view refusal = text_member(content, "refusal"); !refusal.empty()) {
    is_refusal_ = true;
    added += refusal;
  }
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
    usage.reasoning_tokens = estimate_tokens(reasoning_bytes_);
    usage.output_tokens = estimate_tokens(text_) + estimate_tokens(tool_calls_.bytes()) + usage.reasoning_tokens;
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
  completion.tool_calls = tool_calls_.calls(fallback_call_id_);
  completion.finish_reason = finish_reason_.value_or(FinishReason::unknown);
  if (is_refusal_) completion.finish_reason = FinishReason::content_filter;
  const bool is_tool_turn = completion.finish_reason == FinishReason::tool_calls;
  if (is_tool_turn != !tool_calls_.is_empty()) {
    completion.finish_reason = is_tool_turn ? FinishReason::stop : FinishReason::tool_calls;
  }
  completion.usage = usage();
  return completion;
}

ModelError ChatAccumulator::with_usage(ModelError error) const {
  if (!text_.empty() || !tool_calls_.is_empty() || reasoning_bytes_ > 0 || usage_) error.usage = usage();
  return error;
}

}  // namespace parley::llm
