// What the files of Machine share. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace parley::sim {

/// What a handler does with a message; drawn when the message is made, and carried in it.
enum class Plan : std::uint32_t { quick, slow, fail, stream, nested, endless, talkative };

/// `chain`: agent ids joined by newlines.
inline bool chain_contains(std::string_view chain, std::string_view id) {
  while (!chain.empty()) {
    const std::size_t end = std::min(chain.find('\n'), chain.size());
    if (chain.substr(0, end) == id) return true;
    chain.remove_prefix(std::min(end + 1, chain.size()));
  }
  return false;
}

}  // namespace parley::sim
