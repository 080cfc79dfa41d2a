// Typed messages: a plain struct with PARLEY_FIELDS and a registered name.
//
//     struct Question {
//       static constexpr std::string_view kTypeName = "shop.Question";
//       std::string text;
//       PARLEY_FIELDS(text)
//     };
//
// Pure values; any thread.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley {

template <class T>
concept TypedMessage = std::default_initializable<T> && requires {
  { T::kTypeName } -> std::convertible_to<std::string_view>;
};

/// A payload with the name of its type; what agents that do not know the type at compile time work with.
struct Payload {
  std::string type;
  std::string bytes;  ///< msgpack; opaque to the bus

  /// An empty payload of no type: the reply of a handler that returns nothing.
  [[nodiscard]] bool is_empty() const { return type.empty() && bytes.empty(); }
  friend bool operator==(const Payload&, const Payload&) = default;
};

namespace detail {

/// The memory in which messages are encoded, kept from one to the next. Taken out meanwhile, since a message may hold
/// another one that is encoded within.
inline ByteBuffer& spare_buffer() {
  thread_local ByteBuffer spare;
  return spare;
}

}  // namespace detail

template <TypedMessage T>
[[nodiscard]] Payload to_payload(const T& message) {
  constexpr std::size_t kKeptBytes = std::size_t{64} * 1024;
  ByteBuffer encoded = std::move(detail::spare_buffer());
  wire::append_body(encoded, message);
  Payload payload{std::string(T::kTypeName), std::string(encoded.text())};
  if (encoded.capacity() > kKeptBytes) return payload;
  encoded.clear();
  detail::spare_buffer() = std::move(encoded);
  return payload;
}

/// Fails with `invalid` when the payload is of another type or malformed.
template <TypedMessage T>
Result<T> from_payload(const Payload& payload) {
  if (payload.type != T::kTypeName) {
    return fail(ErrorCode::invalid,
                "expected a message of type '" + std::string(T::kTypeName) + "' and got '" + payload.type + "'");
  }
  return wire::decode_body<T>(as_bytes(payload.bytes));
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

}  // namespace parley
