// BODY of the command line → payload. JSON objects and arrays become msgpack of the same shape, anything else is plain
// text and becomes `{"text": …}`. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"
#include "libmsg/runtime/message.hpp"

namespace parley::cli {

struct BodyOptions {
  /// Name of the payload's type; unset: parley.Text.
  std::optional<std::string> type;
  /// Takes the body as text even when it looks like JSON.
  bool is_text = false;
};

/// Fails with `invalid` when a text that starts like a JSON object or array is not one, or when an array has no type.
[[nodiscard]] Result<Payload> parse_body(std::string_view body, const BodyOptions& options);

}  // namespace parley::cli
