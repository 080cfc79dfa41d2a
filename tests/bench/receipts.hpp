// How one-way messages are known to have arrived: receivers confirm now and then, and count for the end of a run.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace parley::bench {

/// Receivers confirm one-way traffic once in this many messages, and when they run dry.
inline constexpr std::uint64_t kReceiptEvery = 64;

/// Turns "everything up to N has arrived" into single completions, for the client's window and its latencies. Whether
/// everything did arrive is what Received counts.
class CumulativeReceipts {
 public:
  void up_to(std::uint64_t sequence, const std::function<void(std::uint64_t)>& finished) {
    while (confirmed_ < sequence) finished(++confirmed_);
  }

 private:
  std::uint64_t confirmed_ = 0;
};

/// Counts what one receiver got; numbers come in order. One thread writes, any may read.
class Received {
 public:
  void count(std::uint64_t sequence) {
    if (sequence <= last()) {
      add(duplicated_);
      return;
    }
    last_.store(sequence, std::memory_order_relaxed);
    add(arrived_);
  }
  [[nodiscard]] std::uint64_t last() const { return last_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t arrived() const { return arrived_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_.load(std::memory_order_relaxed); }

 private:
  static void add(std::atomic<std::uint64_t>& number) {
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t> last_{0};
  std::atomic<std::uint64_t> arrived_{0};
  std::atomic<std::uint64_t> duplicated_{0};
};

/// All receivers of a worker together, each message counted once for each receiver.
struct Tally {
  std::uint64_t arrived = 0;
  std::uint64_t duplicated = 0;
  void add(const Received& received) {
    arrived += received.arrived();
    duplicated += received.duplicated();
  }
};

/// The end of a worker: SIGTERM asks for its tally, which it gives when nothing has arrived for a while.
class Closing {
 public:
  /// Blocks SIGTERM in this thread and those that it starts later.
  Closing();
  /// Looks for the signal; true when it has come and `tally` has stood still since.
  [[nodiscard]] bool is_over(const Tally& tally);
  /// One line of JSON on standard output.
  static void report(const Tally& tally);

 private:
  bool is_asked_ = false;
  std::uint64_t last_arrived_ = 0;
  std::chrono::steady_clock::time_point changed_;
};

}  // namespace parley::bench
