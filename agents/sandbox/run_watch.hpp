// Decides, from what is seen of running code, how much of its output is kept and which limit it has broken. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agents/sandbox/limits.hpp"

namespace parley::sandbox {

/// What was measured at one moment.
struct Usage {
  std::uint64_t memory_bytes = 0;
  std::size_t threads = 0;
  std::uint64_t entries = 0;  ///< files, folders and links in the fullest of the sandbox's folders
};

class RunWatch {
 public:
  /// So many looks in a row with all processes taken, before that counts: it may be a short peak.
  static constexpr unsigned kCrowdedLooks = 5;

  explicit RunWatch(const SandboxLimits& limits) : limits_(limits) {}

  /// A piece of output has come, and `kept` bytes of its stream are kept already: how many of its bytes to keep.
  [[nodiscard]] std::size_t keep(std::size_t kept, std::size_t bytes);
  void on_usage(const Usage& usage);
  void on_wall_time() { break_limit(Limit::wall_time); }
  /// The code has ended by itself or by a signal of its limits.
  void on_exit(int exit_code);

  /// The first limit that was broken.
  [[nodiscard]] Limit broken() const { return broken_; }
  [[nodiscard]] bool is_truncated() const { return is_truncated_; }

 private:
  void break_limit(Limit limit) {
    if (broken_ == Limit::none) broken_ = limit;
  }

  SandboxLimits limits_;
  Limit broken_ = Limit::none;
  std::uint64_t output_bytes_ = 0;
  unsigned crowded_looks_ = 0;
  bool is_truncated_ = false;
};

}  // namespace parley::sandbox
