// Hashes for the broker's maps: texts are looked up by string_view without a std::string, and are mixed with a secret
// of this run, so that nobody can choose names that all fall into one bucket. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <tsl/robin_map.h>

#include "libmsg/core/random.hpp"

namespace parley::broker {

/// The secret of one run; drawn from Random, never on the wire.
struct HashSeed {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  static HashSeed draw(Random& random) { return {random.next(), random.next()}; }
};

/// Folded multiplication of 16 bytes at a time with the secret (as in wyhash): as fast as the standard one, but what
/// collides cannot be computed without the secret.
class TextHash {
 public:
  using is_transparent = void;
  explicit TextHash(HashSeed seed) : seed_(seed) {}

  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
    std::uint64_t state = seed_.first ^ text.size();
    while (text.size() > 16) {
      state = fold(load(text, 8) ^ seed_.second, load(text.substr(8), 8) ^ state);
      text.remove_prefix(16);
    }
    const std::size_t head = std::min<std::size_t>(text.size(), 8);
    state = fold(load(text, head) ^ seed_.second, load(text.substr(head), text.size() - head) ^ state);
    return fold(state ^ seed_.first, seed_.second | 1U);
  }

 private:
  static std::uint64_t load(std::string_view text, std::size_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, text.data(), bytes);
    return value;
  }
  static std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{left} * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }

  HashSeed seed_;
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
