// Numbered places for values of one type. Memory comes in chunks that never move, so references stay good and a million
// entries grow without a copy. A released place is given out again first, with its old content: the user resets it.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace parley::broker {

/// No place.
inline constexpr std::uint32_t kNil = 0xFFFFFFFFU;

template <class T>
class Slab {
 public:
  [[nodiscard]] std::uint32_t add() {
    if (!free_.empty()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if (end_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<T[]>(kChunk));
    return end_++;
  }
  void remove(std::uint32_t index) { free_.push_back(index); }
  /// What add() will give out after so many others; nullptr where that is a place never used.
  [[nodiscard]] const T* upcoming(std::size_t after) const {
    return after < free_.size() ? &(*this)[free_[free_.size() - 1 - after]] : nullptr;
  }

  T& operator[](std::uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](std::uint32_t index) const { return chunks_[index / kChunk][index % kChunk]; }

  /// Places ever given out; every valid index is below.
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] std::size_t live() const { return end_ - free_.size(); }

 private:
  static constexpr std::uint32_t kChunk = 1024;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t end_ = 0;
};

}  // namespace parley::broker
