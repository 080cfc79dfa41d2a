#include "agents/tools/tool_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace parley::tools {

namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kHashDigits = 8;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// FNV-1a.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return hash;
}

}  // namespace

bool is_valid_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, is_name_character);
}

std::string tool_name_for_models(std::string_view prefix, std::string_view name) {
  const std::string whole = std::string(prefix) + std::string(name);
  std::string result = whole;
  std::ranges::replace_if(result, [](char c) { return !is_name_character(c); }, '_');
  if (result.empty()) return "_";
  if (result.size() <= kMaxName) return result;
  std::uint32_t hash = hash_of(whole);
  result.resize(kMaxName - kHashDigits - 1);
  result += '_';
  for (std::size_t i = 0; i < kHashDigits; ++i, hash >>= 4U) result += "0123456789abcdef"[hash & 15U];
  return result;
}

}  // namespace parley::tools
