// Names and numbers that identify things. Each is a type of its own, so that a session token is never passed where a
// message id belongs; conversion is explicit both ways. Pure values: any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley {

inline constexpr std::size_t kMaxAgentTypeBytes = 128;
inline constexpr std::size_t kMaxAgentKeyBytes = 256;
inline constexpr std::string_view kDefaultKey = "default";

/// `[A-Za-z0-9_.-]+`, at most 128 bytes.
[[nodiscard]] bool is_valid_agent_type(std::string_view text);
/// Printable ASCII (0x20–0x7E), 1 to 256 bytes.
[[nodiscard]] bool is_valid_agent_key(std::string_view text);
/// Like an agent type, and `:` and `=` as well; at most 128 bytes.
[[nodiscard]] bool is_valid_topic_type(std::string_view text);

/// `type/key`, split at the first `/`; the key may itself contain `/`. An activation lives on one worker at a time.
class AgentId {
 public:
  /// Fails with `invalid` when a part breaks its rule; the message says which and why.
  static Result<AgentId> make(std::string_view type, std::string_view key);
  /// Reads `type/key`, or `type` alone, which means `type/default`.
  static Result<AgentId> parse(std::string_view text);

  AgentId() = default;

  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] std::string str() const { return type_ + "/" + key_; }
  /// A default-constructed id names nobody: the anonymous sender.
  [[nodiscard]] bool is_empty() const { return type_.empty(); }

  friend auto operator<=>(const AgentId&, const AgentId&) = default;

 private:
  AgentId(std::string type, std::string key) : type_(std::move(type)), key_(std::move(key)) {}
  std::string type_;
  std::string key_;
};

/// `type/source`. Publishing to it reaches every subscribed agent type, at key = source.
class Topic {
 public:
  /// Fails with `invalid` when a part breaks its rule.
  static Result<Topic> make(std::string_view type, std::string_view source);
  /// Reads `type/source`, or `type` alone, which means `type/default`.
  static Result<Topic> parse(std::string_view text);

  Topic() = default;

  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] std::string str() const { return type_ + "/" + source_; }
  [[nodiscard]] bool is_empty() const { return type_.empty(); }

  friend auto operator<=>(const Topic&, const Topic&) = default;

 private:
  Topic(std::string type, std::string source) : type_(std::move(type)), source_(std::move(source)) {}
  std::string type_;
  std::string source_;
};

/// `type/key` split at the first `/`, without copying. A text without `/` has an empty second part.
struct SplitId {
  std::string_view type;
  std::string_view key;
};
[[nodiscard]] SplitId split_id(std::string_view text);

/// A number that means one thing only. `Tag` makes the types distinct.
template <class Tag>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_zero() const { return value_ == 0; }
  friend constexpr auto operator<=>(StrongNumber, StrongNumber) = default;

 private:
  std::uint64_t value_ = 0;
};

/// Random name of one connection of one process to one broker; 0 means "no session yet".
using SessionToken = StrongNumber<struct SessionTokenTag>;
/// Numbers the messages of one session; chosen by the sender, never 0.
using MessageId = StrongNumber<struct MessageIdTag>;
/// Numbers the deliveries of one broker run; chosen by the broker, never 0.
using DeliveryId = StrongNumber<struct DeliveryIdTag>;
/// Fences activations: `shard_epoch << 32 | counter`. The higher one wins.
using Epoch = StrongNumber<struct EpochTag>;

}  // namespace parley

template <>
struct std::hash<parley::AgentId> {
  std::size_t operator()(const parley::AgentId& id) const noexcept {
    return std::hash<std::string>{}(id.type()) * 31 + std::hash<std::string>{}(id.key());
  }
};
template <class Tag>
struct std::hash<parley::StrongNumber<Tag>> {
  std::size_t operator()(parley::StrongNumber<Tag> number) const noexcept {
    return std::hash<std::uint64_t>{}(number.value());
  }
};
