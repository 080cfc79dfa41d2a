// Hashes for the broker's maps: texts are looked up by string_view without a std::string, numbers are mixed so that a
// peer cannot line its ids up in one bucket. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tsl/robin_map.h>

namespace parley::broker {

struct TextHash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

struct NumberHash {
  [[nodiscard]] std::size_t operator()(std::uint64_t number) const noexcept {
    number *= 0x9E3779B97F4A7C15U;
    return number ^ (number >> 32U);
  }
};

template <class T>
using TextMap = tsl::robin_map<std::string, T, TextHash, std::equal_to<>>;
template <class T>
using NumberMap = tsl::robin_map<std::uint64_t, T, NumberHash>;

}  // namespace parley::broker
