// Which broker an agent id or a topic belongs to: highest random weight over the shards (PROTOCOL.md §Shards), so that
// adding one moves only its own share. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley {

/// `text` is an agent id or a topic's source; `count` is at least 1.
[[nodiscard]] inline std::size_t shard_of(std::string_view text, std::size_t count) {
  if (count <= 1) return 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  std::size_t best = 0;
  std::uint64_t best_weight = 0;
  for (std::size_t shard = 0; shard < count; ++shard) {
    // splitmix64 of the pair
    std::uint64_t weight = hash + (shard + 1) * 0x9e3779b97f4a7c15ULL;
    weight = (weight ^ (weight >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    weight = (weight ^ (weight >> 27U)) * 0x94d049bb133111ebULL;
    weight ^= weight >> 31U;
    if (shard == 0 || weight > best_weight) {
      best = shard;
      best_weight = weight;
    }
  }
  return best;
}

}  // namespace parley
