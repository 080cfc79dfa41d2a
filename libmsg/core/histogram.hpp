// Percentiles of latencies without keeping every sample: a log-linear histogram after Gil Tene's HdrHistogram.
// Recording is a shift and an increment. One thread; merge the histograms of several threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace parley {

/// Values are exact below 2^kExactBits and within a part of 2^(1 - kExactBits) above; those of 2^kMaxBits and more are
/// recorded as the largest below.
template <unsigned kExactBits, unsigned kMaxBits>
class BasicHistogram {
 public:
  static constexpr std::uint64_t kMaxValue = (std::uint64_t{1} << kMaxBits) - 1;

  void record(std::uint64_t value) {
    const std::uint64_t kept = std::min(value, kMaxValue);
    counts_[index_of(kept)]++;
    count_++;
    max_ = std::max(max_, kept);
  }

  void merge(const BasicHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  /// The smallest recorded value that `percent` of all values do not exceed, within the precision; 0 when nothing
  /// was recorded.
  [[nodiscard]] std::uint64_t percentile(double percent) const {
    if (count_ == 0) return 0;
    const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
    const auto wanted =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(highest_in(i), max_);
    }
    return max_;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }

 private:
  // Small values have a bucket each; above, every power of two is split into 2^(kExactBits - 1) equal parts.
  static constexpr std::uint64_t kHalf = std::uint64_t{1} << (kExactBits - 1);

  static std::size_t index_of(std::uint64_t value) {
    const auto bits = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = bits > kExactBits ? bits - kExactBits : 0;
    return static_cast<std::size_t>(shift * kHalf + (value >> shift));
  }
  static std::uint64_t highest_in(std::size_t index) {
    if (index < 2 * kHalf) return index;
    const std::uint64_t shift = index / kHalf - 1;
    return (((index - shift * kHalf) + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(index_of(kMaxValue) + 1);
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

/// Three significant digits, up to about 73 minutes in nanoseconds; 260 KiB.
using Histogram = BasicHistogram<11, 42>;

}  // namespace parley
