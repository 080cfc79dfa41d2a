// Character references of HTML: the part of html_text.hpp that is a table.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "agents/tools/html_text.hpp"

namespace parley::tools {

namespace {

using namespace std::string_view_literals;

constexpr std::array kReferences{
    std::pair{"amp"sv, "&"sv},    std::pair{"lt"sv, "<"sv},     std::pair{"gt"sv, ">"sv},
    std::pair{"quot"sv, "\""sv},  std::pair{"apos"sv, "'"sv},   std::pair{"nbsp"sv, " "sv},
    std::pair{"ensp"sv, " "sv},   std::pair{"emsp"sv, " "sv},   std::pair{"thinsp"sv, " "sv},
    std::pair{"shy"sv, ""sv},     std::pair{"zwnj"sv, ""sv},    std::pair{"copy"sv, "©"sv},
    std::pair{"reg"sv, "®"sv},    std::pair{"trade"sv, "™"sv},  std::pair{"euro"sv, "€"sv},
    std::pair{"pound"sv, "£"sv},  std::pair{"yen"sv, "¥"sv},    std::pair{"cent"sv, "¢"sv},
    std::pair{"sect"sv, "§"sv},   std::pair{"para"sv, "¶"sv},   std::pair{"deg"sv, "°"sv},
    std::pair{"plusmn"sv, "±"sv}, std::pair{"times"sv, "×"sv},  std::pair{"divide"sv, "÷"sv},
    std::pair{"middot"sv, "·"sv}, std::pair{"bull"sv, "•"sv},   std::pair{"hellip"sv, "…"sv},
    std::pair{"ndash"sv, "–"sv},  std::pair{"mdash"sv, "—"sv},  std::pair{"lsquo"sv, "‘"sv},
    std::pair{"rsquo"sv, "’"sv},  std::pair{"ldquo"sv, "“"sv},  std::pair{"rdquo"sv, "”"sv},
    std::pair{"sbquo"sv, "‚"sv},  std::pair{"bdquo"sv, "„"sv},  std::pair{"laquo"sv, "«"sv},
    std::pair{"raquo"sv, "»"sv},  std::pair{"larr"sv, "←"sv},   std::pair{"rarr"sv, "→"sv},
    std::pair{"uarr"sv, "↑"sv},   std::pair{"darr"sv, "↓"sv},   std::pair{"auml"sv, "ä"sv},
    std::pair{"ouml"sv, "ö"sv},   std::pair{"uuml"sv, "ü"sv},   std::pair{"Auml"sv, "Ä"sv},
    std::pair{"Ouml"sv, "Ö"sv},   std::pair{"Uuml"sv, "Ü"sv},   std::pair{"szlig"sv, "ß"sv},
    std::pair{"eacute"sv, "é"sv}, std::pair{"egrave"sv, "è"sv}, std::pair{"agrave"sv, "à"sv},
    std::pair{"ccedil"sv, "ç"sv}, std::pair{"ntilde"sv, "ñ"sv}, std::pair{"iexcl"sv, "¡"sv},
    std::pair{"iquest"sv, "¿"sv}, std::pair{"frac12"sv, "½"sv}};

void append_code_point(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<std::uint8_t>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | code >> 6U);
    byte(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    byte(0xE0U | code >> 12U);
    byte(0x80U | (code >> 6U & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  } else {
    byte(0xF0U | code >> 18U);
    byte(0x80U | (code >> 12U & 0x3FU));
    byte(0x80U | (code >> 6U & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  }
}

/// What stands between `&` and `;`; false when nobody knows it.
bool append_reference(std::string& out, std::string_view name) {
  if (name.starts_with('#')) {
    const bool is_hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const std::string_view digits = name.substr(is_hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
    if (digits.empty() || end != digits.data() + digits.size()) return false;
    append_code_point(out, failure == std::errc() ? code : 0xFFFD);
    return true;
  }
  const auto* found = std::ranges::find(kReferences, name, &std::pair<std::string_view, std::string_view>::first);
  if (found == kReferences.end()) return false;
  out += found->second;
  return true;
}

}  // namespace

std::string decode_references(std::string_view text) {
  constexpr std::size_t kMaxName = 12;
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '&') {
      const std::size_t end = text.substr(at, kMaxName).find(';');
      if (end != std::string_view::npos && append_reference(out, text.substr(at + 1, end - 1))) {
        at += end + 1;
        continue;
      }
    }
    out += text[at++];
  }
  return out;
}

}  // namespace parley::tools
