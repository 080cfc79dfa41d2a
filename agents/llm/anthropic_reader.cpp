#include "agents/llm/anthropic_reader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/llm/token_estimate.hpp"
#include "agents/llm/tool_call_accumulator.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

FinishReason finish_reason_of(std::string_view reason) {
  if (reason == "end_turn" || reason == "stop_sequence") return FinishReason::stop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return FinishReason::length;
  if (reason == "tool_use") return FinishReason::tool_calls;
  if (reason == "refusal") return FinishReason::content_filter;
  return FinishReason::unknown;
}

}  // namespace

std::expected<std::string, ModelError> AnthropicReader::add(std::string_view data) {
  if (is_done_) return std::string();
  const auto event = parse_json(data);
  if (!event || !event->is_object()) return std::unexpected(malformed("sent what is not a JSON object"));
  return take_event(*event);
}

std::expected<std::string, ModelError> AnthropicReader::add_whole(std::string_view body) {
  const auto message = parse_json(body);
  if (!message || !message->is_object()) return std::unexpected(malformed("sent what is not a JSON object"));
  if (!member(*message, "error").is_null()) return std::unexpected(with_usage(error_of_stream(*message, call_.site)));
  is_done_ = true;
  take_message(*message);
  std::string text;
  const json& content = member(*message, "content");
  if (!content.is_array()) return text;
  has_message_ = true;
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto added = begin_block(i, content[i]);
    if (!added) return added;
    text += *added;
  }
  return text;
}

std::expected<std::string, ModelError> AnthropicReader::take_event(const json& event) {
  const std::string_view type = text_member(event, "type");
  if (type == "error" || !member(event, "error").is_null()) {
    return std::unexpected(with_usage(error_of_stream(event, call_.site)));
  }
  const std::uint64_t index = count_member(event, "index").value_or(0);
  if (type == "message_start") {
    has_message_ = true;
    take_message(member(event, "message"));
  } else if (type == "content_block_start") {
    return begin_block(index, member(event, "content_block"));
  } else if (type == "content_block_delta") {
    return extend_block(index, member(event, "delta"));
  } else if (type == "message_delta") {
    stop_reason_ = text_member(member(event, "delta"), "stop_reason");
    take_usage(member(event, "usage"));
  } else if (type == "message_stop") {
    is_done_ = true;
  }
  return std::string();
}

void AnthropicReader::take_message(const json& message) {
  model_ = text_member(message, "model");
  stop_reason_ = text_member(message, "stop_reason");
  take_usage(member(message, "usage"));
}

std::expected<std::string, ModelError> AnthropicReader::begin_block(std::uint64_t index, const json& content) {
  if (blocks_.size() >= kMaxBlocks && !blocks_.contains(index)) {
    return std::unexpected(malformed("sent more than " + std::to_string(kMaxBlocks) + " blocks"));
  }
  has_message_ = true;
  Block& block = blocks_[index] = Block{};
  const std::string_view type = text_member(content, "type");
  if (type == "text") {
    block.type = BlockType::text;
    block.text = text_member(content, "text");
    return handed_out(block, block.text);
  }
  if (type == "thinking" || type == "redacted_thinking") {
    block.type = type == "thinking" ? BlockType::thinking : BlockType::redacted_thinking;
    block.text = text_member(content, type == "thinking" ? "thinking" : "data");
    block.signature = text_member(content, "signature");
    received_bytes_ += block.text.size();
  } else if (type == "tool_use") {
    block.type = BlockType::tool_use;
    block.id = text_member(content, "id");
    block.name = text_member(content, "name");
    const json& input = member(content, "input");
    if (input.is_object() && !input.empty()) block.arguments = to_text(input);
    return handed_out(block, block.arguments);
  }
  return std::string();
}

std::string AnthropicReader::extend_block(std::uint64_t index, const json& delta) {
  const auto found = blocks_.find(index);
  if (found == blocks_.end()) return {};
  Block& block = found->second;
  const std::string_view type = text_member(delta, "type");
  if (type == "text_delta" && block.type == BlockType::text) {
    const std::string added(text_member(delta, "text"));
    block.text += added;
    return handed_out(block, added);
  }
  if (type == "input_json_delta" && block.type == BlockType::tool_use) {
    const std::string added(text_member(delta, "partial_json"));
    block.arguments += added;
    return handed_out(block, added);
  }
  if (type == "thinking_delta" && block.type == BlockType::thinking) {
    block.text += text_member(delta, "thinking");
    received_bytes_ += text_member(delta, "thinking").size();
  } else if (type == "signature_delta") {
    block.signature += text_member(delta, "signature");
  }
  return {};
}

std::string AnthropicReader::handed_out(const Block& block, const std::string& added) {
  received_bytes_ += added.size();
  // Of a structured answer only the answer itself: what else the model says would spoil it.
  const bool is_text = call_.answer_tool.empty() ? block.type == BlockType::text : is_answer(block);
  if (!is_text) return {};
  text_bytes_ += added.size();
  return added;
}

bool AnthropicReader::is_answer(const Block& block) const {
  return block.type == BlockType::tool_use && !call_.answer_tool.empty() && block.name == call_.answer_tool;
}

void AnthropicReader::take_usage(const json& usage) {
  // Cumulative: each value replaces the earlier one, and null keeps it.
  if (const auto count = count_member(usage, "input_tokens")) input_tokens_ = count;
  if (const auto count = count_member(usage, "output_tokens")) output_tokens_ = count;
  if (const auto count = count_member(usage, "cache_read_input_tokens")) cache_read_tokens_ = *count;
  if (const auto count = count_member(usage, "cache_creation_input_tokens")) cache_write_tokens_ = *count;
}

messages::Usage AnthropicReader::usage() const {
  messages::Usage usage;
  usage.model = model_.empty() ? call_.site.model : model_;
  usage.cached_input_tokens = cache_read_tokens_;
  usage.cache_write_tokens = cache_write_tokens_;
  // The provider does not count what its cache has read or written as input.
  usage.input_tokens =
      input_tokens_ ? *input_tokens_ + cache_read_tokens_ + cache_write_tokens_ : call_.estimated_input;
  usage.output_tokens = output_tokens_.value_or(0);
  usage.is_estimated = !input_tokens_ || !output_tokens_ || !is_complete();
  // The first event says 1 or so, the truth comes with the last one.
  if (usage.is_estimated) usage.output_tokens = std::max(usage.output_tokens, estimate_tokens(received_bytes_));
  return usage;
}

std::expected<Completion, ModelError> AnthropicReader::finish() const {
  if (!has_message_) {
    return std::unexpected(with_usage(
        {.error = {ErrorCode::upstream_failed,
                   call_.site.str() + " sent no answer; is the base URL that of the Messages API?", false}}));
  }
  if (!is_complete()) {
    return std::unexpected(
        with_usage({.error = {ErrorCode::upstream_failed, call_.site.str() + " broke its answer off after " +
                                                              std::to_string(text_bytes_) + " bytes; try again"}}));
  }
  Completion completion;
  std::string answer;
  for (const auto& [index, block] : blocks_) {
    if (block.type == BlockType::text) completion.text += block.text;
    if (block.type != BlockType::tool_use) continue;
    std::string arguments = block.arguments.empty() ? "{}" : block.arguments;
    if (is_answer(block)) {
      answer = std::move(arguments);
    } else {
      const std::string fallback = call_.fallback_call_id + "_" + std::to_string(completion.tool_calls.size() + 1);
      completion.tool_calls.push_back({block.id.empty() ? fallback : block.id, block.name, std::move(arguments)});
    }
  }
  completion.finish_reason = finish_reason_of(stop_reason_);
  if (!completion.tool_calls.empty()) {
    completion.finish_reason = FinishReason::tool_calls;
  } else if (completion.finish_reason == FinishReason::tool_calls) {
    completion.finish_reason = FinishReason::stop;
  }
  // What else the model says beside a structured answer is not part of it.
  if (completion.tool_calls.empty() && !answer.empty()) completion.text = std::move(answer);
  completion.provider_state = provider_state();
  completion.usage = usage();
  return completion;
}

std::string AnthropicReader::provider_state() const {
  bool has_thought = false;
  json blocks = json::array();
  for (const auto& [index, block] : blocks_) {
    switch (block.type) {
      case BlockType::thinking:
        has_thought = true;
        blocks.push_back({{"type", "thinking"}, {"thinking", block.text}, {"signature", block.signature}});
        break;
      case BlockType::redacted_thinking:
        has_thought = true;
        blocks.push_back({{"type", "redacted_thinking"}, {"data", block.text}});
        break;
      case BlockType::text:
        if (!block.text.empty()) blocks.push_back({{"type", "text"}, {"text", block.text}});
        break;
      case BlockType::tool_use:
        if (is_answer(block)) return {};  // it is text in the history; so the thoughts about it are not wanted back
        blocks.push_back({{"type", "tool_use"},
                          {"id", block.id},
                          {"name", block.name},
                          {"input", arguments_object(block.arguments)}});
        break;
      case BlockType::other:
        break;
    }
  }
  return has_thought ? to_text({{"anthropic", std::move(blocks)}}) : std::string();
}

ModelError AnthropicReader::malformed(const std::string& what) const {
  return with_usage({.error = {ErrorCode::upstream_failed,
                               call_.site.str() + " " + what + "; is the base URL that of the Messages API?"}});
}

ModelError AnthropicReader::with_usage(ModelError error) const {
  if (received_bytes_ > 0 || input_tokens_) error.usage = usage();
  return error;
}

}  // namespace parley::llm
