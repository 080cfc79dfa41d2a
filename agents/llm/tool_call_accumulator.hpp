// Puts the tool calls of one answer together from the pieces in which OpenAI-compatible servers send them. Pure; one
// thread at a time. Servers differ: pieces belong together by (index, id), but some number all parallel calls 0 and
// tell them apart by their ids only, and some send no index at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/tools.hpp"

namespace parley::llm {

class ToolCallAccumulator {
 public:
  /// No model means to use more tools than this in one answer.
  static constexpr std::size_t kMaxCalls = 256;

  /// One element of `delta.tool_calls`. A new id on a known index starts a new call; without an index the id decides,
  /// and without either the piece continues the last call unless it names a function again. False when there are too
  /// many calls; the piece is not taken then.
  bool add(const nlohmann::json& piece);
  /// One element of `message.tool_calls`: a whole call.
  bool add_whole(const nlohmann::json& call);

  [[nodiscard]] bool is_empty() const { return calls_.empty(); }
  /// Of names and arguments so far.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// In order of their beginnings. A call without an id gets `FALLBACK_n`.
  [[nodiscard]] std::vector<messages::ToolCall> calls(std::string_view fallback_id) const;

 private:
  struct Call {
    std::optional<std::uint64_t> index;
    messages::ToolCall call;
  };

  Call* find(std::optional<std::uint64_t> index, std::string_view id, bool has_name);
  bool begin(std::optional<std::uint64_t> index, std::string_view id);
  void extend(messages::ToolCall& call, const nlohmann::json& function);

  std::vector<Call> calls_;
  std::size_t bytes_ = 0;
};

/// The arguments of a call as a JSON object, which is what servers want back: some render them by a template and fail
/// at anything else. What the model wrote wrongly is kept under the one member `malformed_arguments`.
[[nodiscard]] nlohmann::json arguments_object(const std::string& arguments);

}  // namespace parley::llm
