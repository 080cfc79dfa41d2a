// Puts an answer of the chat completions API together: from the chunks of a stream, or from the one object of an
// answer that was not streamed. Pure; one thread at a time. Tolerates the compatible servers: `choices` null, absent or
// empty, usage on any chunk (the last one wins), no `[DONE]`, no finish_reason, errors in mid-stream. Tool calls make a
// tool turn whatever the finish_reason, and more of them than ToolCallAccumulator takes are a failure; what a model
// only thought (`reasoning_content`, `reasoning`) stays out of text.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/provider_protocol.hpp"
#include "agents/llm/tool_call_accumulator.hpp"

namespace parley::llm {

class ChatAccumulator final : public AnswerReader {
 public:
  /// `estimated_input` is what the request costs if the provider does not say; `fallback_call_id` begins the ids of
  /// tool calls that come without one, and must be unique in the conversation.
  ChatAccumulator(CallSite site, std::uint64_t estimated_input, std::string fallback_call_id = "call")
      : site_(std::move(site)), fallback_call_id_(std::move(fallback_call_id)), estimated_input_(estimated_input) {}

  std::expected<std::string, ModelError> add(std::string_view data) override;
  std::expected<std::string, ModelError> add_whole(std::string_view body) override;

  [[nodiscard]] bool is_done() const override { return is_done_; }
  [[nodiscard]] bool is_complete() const override { return is_done_ || finish_reason_.has_value(); }
  [[nodiscard]] std::size_t text_bytes() const override { return text_.size(); }
  [[nodiscard]] std::expected<Completion, ModelError> finish() const override;
  [[nodiscard]] ModelError with_usage(ModelError error) const override;

 private:
  /// The parts of a choice that are not text.
  bool add_tool_calls(const nlohmann::json& choice);
  std::string add_text(const nlohmann::json& content);
  void take_usage(const nlohmann::json& usage);
  [[nodiscard]] messages::Usage usage() const;

  CallSite site_;
  std::string fallback_call_id_;
  std::uint64_t estimated_input_;
  std::string text_;
  std::string model_;
  std::optional<FinishReason> finish_reason_;
  std::optional<messages::Usage> usage_;
  bool has_choice_ = false;
  bool is_refusal_ = false;
  ToolCallAccumulator tool_calls_;
  std::size_t reasoning_bytes_ = 0;
  bool is_done_ = false;
};

}  // namespace parley::llm
