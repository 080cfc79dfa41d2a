#include "services/cli/payload_view.hpp"

#include <cmath>
#include <msgpack.hpp>
#include <optional>

#include "libmsg/messages/text.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::cli {
namespace {

using nlohmann::json;

std::string tagged_base64(const char* data, std::size_t size) { return "base64:" + base64({data, size}); }

// The recursion is as deep as the value, which wire::body_unpack_limit() bounds to 32.
json to_json(const msgpack::object& value) {
  switch (value.type) {
    case msgpack::type::NIL:
      return nullptr;
    case msgpack::type::BOOLEAN:
      return value.via.boolean;
    case msgpack::type::POSITIVE_INTEGER:
      return value.via.u64;
    case msgpack::type::NEGATIVE_INTEGER:
      return value.via.i64;
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return std::isfinite(value.via.f64) ? json(value.via.f64) : json(nullptr);
    case msgpack::type::STR:
      return std::string(value.via.str.ptr, value.via.str.size);
    case msgpack::type::BIN:
      return tagged_base64(value.via.bin.ptr, value.via.bin.size);
    case msgpack::type::EXT:
      return {{"ext", value.via.ext.type()}, {"data", tagged_base64(value.via.ext.data(), value.via.ext.size)}};
    case msgpack::type::ARRAY: {
      json list = json::array();
      for (std::uint32_t i = 0; i < value.via.array.size; ++i) list.push_back(to_json(value.via.array.ptr[i]));
      return list;
    }
    case msgpack::type::MAP: {
      json map = json::object();
      for (std::uint32_t i = 0; i < value.via.map.size; ++i) {
        const msgpack::object_kv& entry = value.via.map.ptr[i];
        const json key = to_json(entry.key);
        map[key.is_string() ? key.get<std::string>() : to_line(key)] = to_json(entry.val);
      }
      return map;
    }
  }
  return nullptr;
}

/// Unset for bytes that are no msgpack, or beyond its bounds.
std::optional<json> unpacked(std::string_view bytes) {
  try {
    std::size_t offset = 0;
    const auto handle =
        msgpack::unpack(bytes.data(), bytes.size(), offset, nullptr, nullptr, wire::body_unpack_limit());
    if (offset != bytes.size()) return std::nullopt;
    return std::optional<json>(to_json(handle.get()));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

json payload_to_json(const Payload& payload) {
  if (payload.bytes.empty()) return nullptr;
  if (auto value = unpacked(payload.bytes)) return *std::move(value);
  return {{"raw", tagged_base64(payload.bytes.data(), payload.bytes.size())}};
}

std::string payload_to_text(const Payload& payload) {
  if (payload.is_empty()) return "";
  const json value = payload_to_json(payload);
  const bool is_text = payload.type == messages::Text::kTypeName || payload.type == messages::Answer::kTypeName ||
                       payload.type == messages::TextPart::kTypeName;
  if (is_text && value.is_object()) {
    if (const auto text = value.find("text"); text != value.end() && text->is_string()) return text->get<std::string>();
  }
  return to_line(value);
}

std::string to_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  encoded.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      const bool is_padding = i + j > bytes.size();
      encoded += is_padding ? '=' : kAlphabet[(group >> (18U - 6U * j)) & 63U];
    }
  }
  return encoded;
}

}  // namespace parley::cli
