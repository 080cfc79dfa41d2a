#include "services/cli/body.hpp"

#include <nlohmann/json.hpp>

#include "libmsg/core/ascii.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/wire/limits.hpp"

namespace parley::cli {
namespace {

using nlohmann::json;

/// What msgpack decoders of the bus accept (wire::body_unpack_limit), so that no body is sent that nobody can read.
constexpr std::size_t kMaxDepth = 31;

std::size_t deepest_nesting(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool is_in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_in_string) {
      if (c == '\\') ++i;
      if (c == '"') is_in_string = false;
    } else if (c == '"') {
      is_in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

Payload text_payload(std::string text, const BodyOptions& options) {
  if (!options.type) return to_payload(messages::Text{std::move(text), {}});
  const json object{{"text", std::move(text)}};
  std::string bytes;
  json::to_msgpack(object, nlohmann::detail::output_adapter<char, std::string>(bytes));
  return {*options.type, std::move(bytes)};
}

}  // namespace

Result<Payload> parse_body(std::string_view body, const BodyOptions& options) {
  if (options.type && (options.type->empty() || options.type->size() > wire::kMaxPayloadTypeBytes)) {
    return fail(ErrorCode::invalid,
                "the payload type must have 1 to " + std::to_string(wire::kMaxPayloadTypeBytes) + " bytes");
  }
  const std::string_view text = trimmed(body);
  const bool is_json_like = text.starts_with('{') || text.starts_with('[') || text.starts_with('"');
  if (options.is_text || !is_json_like) return text_payload(std::string(options.is_text ? body : text), options);

  if (deepest_nesting(text) > kMaxDepth) {
    return fail(ErrorCode::invalid, "the body is nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  try {
    json parsed = json::parse(text);
    if (parsed.is_string()) return text_payload(parsed.get<std::string>(), options);
    if (parsed.is_array() && !options.type) {
      return fail(ErrorCode::invalid, "an array is no parley.Text (name the payload's type with --type)");
    }
    std::string bytes;
    json::to_msgpack(parsed, nlohmann::detail::output_adapter<char, std::string>(bytes));
    return Payload{options.type.value_or(std::string(messages::Text::kTypeName)), std::move(bytes)};
  } catch (const json::parse_error& failure) {
    if (text.starts_with('"')) return text_payload(std::string(text), options);
    return fail(ErrorCode::invalid, "the body looks like JSON and is not, at byte " + std::to_string(failure.byte) +
                                        " (--text sends it as it is)");
  }
}

}  // namespace parley::cli
