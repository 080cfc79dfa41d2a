// A short name of some texts, the same in every process and version: FNV-1a. For ids and for finding recorded requests;
// nothing that an attacker could gain by a collision may depend on it. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::llm {

/// 16 digits.
[[nodiscard]] inline std::string hex_text(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned shift = 64; shift > 0; shift -= 4) text += kDigits[(value >> (shift - 4)) & 0xFU];
  return text;
}

class Fingerprint {
 public:
  /// ("ab", "c") and ("a", "bc") differ.
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0xFF);  // in no UTF-8 text
  }
  [[nodiscard]] std::string str() const { return hex_text(value_); }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3U; }

  std::uint64_t value_ = 0xcbf29ce484222325U;
};

}  // namespace parley::llm
