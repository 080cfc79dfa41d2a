// States of strategies as text: a small msgpack struct, refused with `invalid` when it is not one. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::teams {

template <class T>
[[nodiscard]] std::string to_text(const T& state) {
  return std::string(wire::encode_body(state).text());
}

template <class T>
[[nodiscard]] Result<T> from_text(std::string_view text) {
  return wire::decode_body<T>(as_bytes(text));
}

}  // namespace parley::teams
