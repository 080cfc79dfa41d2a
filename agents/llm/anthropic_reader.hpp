// Puts an answer of the Messages API together: from the events of a stream, or from the one message of an answer that
// was not streamed. Pure; one thread at a time. Events that nobody knows and pings are ignored, errors may come behind
// a 200, usage is cumulative and partly null.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "agents/llm/provider_protocol.hpp"

namespace parley::llm {

class AnthropicReader final : public AnswerReader {
 public:
  /// More blocks than any answer has.
  static constexpr std::size_t kMaxBlocks = 1024;

  explicit AnthropicReader(ProviderCall call) : call_(std::move(call)) {}

  std::expected<std::string, ModelError> add(std::string_view data) override;
  std::expected<std::string, ModelError> add_whole(std::string_view body) override;

  [[nodiscard]] bool is_done() const override { return is_done_; }
  [[nodiscard]] bool is_complete() const override { return is_done_ || !stop_reason_.empty(); }
  [[nodiscard]] std::size_t text_bytes() const override { return text_bytes_; }
  [[nodiscard]] std::expected<Completion, ModelError> finish() const override;
  [[nodiscard]] ModelError with_usage(ModelError error) const override;

 private:
  enum class BlockType : std::uint8_t { text, tool_use, thinking, redacted_thinking, other };
  struct Block {
    BlockType type = BlockType::other;
    std::string text;       ///< text, thinking, or the data of what was redacted
    std::string signature;  ///< of thinking
    std::string id;         ///< of a tool call
    std::string name;
    std::string arguments;
  };

  std::expected<std::string, ModelError> take_event(const nlohmann::json& event);
  std::expected<std::string, ModelError> begin_block(std::uint64_t index, const nlohmann::json& content);
  std::string extend_block(std::uint64_t index, const nlohmann::json& delta);
  void take_message(const nlohmann::json& message);
  void take_usage(const nlohmann::json& usage);
  [[nodiscard]] ModelError malformed(const std::string& what) const;
  [[nodiscard]] bool is_answer(const Block& block) const;
  [[nodiscard]] std::string provider_state() const;
  [[nodiscard]] messages::Usage usage() const;
  /// Counts what the model has written into a block, and returns it if it is part of the answer's text.
  std::string handed_out(const Block& block, const std::string& added);

  ProviderCall call_;
  std::map<std::uint64_t, Block> blocks_;  ///< by index
  std::string model_;
  std::string stop_reason_;
  std::optional<std::uint64_t> input_tokens_;
  std::optional<std::uint64_t> output_tokens_;
  std::uint64_t cache_read_tokens_ = 0;
  std::uint64_t cache_write_tokens_ = 0;
  std::size_t text_bytes_ = 0;
  std::size_t received_bytes_ = 0;  ///< of everything that the model wrote
  bool has_message_ = false;
  bool is_done_ = false;
};

}  // namespace parley::llm
