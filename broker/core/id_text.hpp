// Small helpers for agent ids as text, shared by the broker's parts. Pure.
#pragma once

#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"

namespace parley::broker {

/// Builds `type/key` in memory that is used again, so that composing an id does not allocate.
class IdText {
 public:
  /// Valid until the next call.
  std::string_view compose(std::string_view type, std::string_view key) {
    text_.assign(type);
    text_ += '/';
    text_ += key;
    return text_;
  }

 private:
  std::string text_;
};

/// The key of `type/key`, `@capability/key` or `topic/source`, or the default one.
[[nodiscard]] inline std::string_view key_of(std::string_view target) {
  const std::size_t slash = target.find('/');
  return slash == std::string_view::npos ? kDefaultKey : target.substr(slash + 1);
}

/// An agent id as a person may have written it, without the key `default`.
[[nodiscard]] inline std::string whole_id(std::string_view text) {
  return text.contains('/') ? std::string(text) : std::string(text) + "/" + std::string(kDefaultKey);
}

/// Text from outside as it may appear in an error: quoted, printable, short.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, kMaxAgentTypeBytes)) shown += c >= 0x20 && c <= 0x7E ? c : '?';
  return shown + "'";
}

[[nodiscard]] inline Error overloaded(std::string text) { return {ErrorCode::overloaded, std::move(text)}; }

}  // namespace parley::broker
