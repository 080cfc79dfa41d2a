// Payload → what a person or a script reads. Any msgpack is shown, whatever its type; bytes that are no msgpack are
// shown as base64. Bounded in depth. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "libmsg/runtime/message.hpp"

namespace parley::cli {

/// The payload as JSON. Binary fields become `base64:…`, extension types `{"ext": N, "data": "base64:…"}`, a payload
/// that is no msgpack `{"raw": "base64:…"}`, an empty one null. Numbers that JSON lacks (NaN) become null.
[[nodiscard]] nlohmann::json payload_to_json(const Payload& payload);

/// What is printed without --json: the text of parley.Text, Answer and TextPart; compact JSON of anything else.
[[nodiscard]] std::string payload_to_text(const Payload& payload);

/// One line of JSON; text that is no UTF-8 is repaired, never thrown about.
[[nodiscard]] std::string to_line(const nlohmann::json& value);

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace parley::cli
