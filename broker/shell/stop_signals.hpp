// SIGTERM and SIGINT as a descriptor for the poll set, instead of a handler that may run anywhere. Construct before any
// thread starts, so that all inherit the mask. One thread.
#pragma once

#include <cstddef>

namespace parley::broker {

class StopSignals {
 public:
  /// Throws std::system_error when the process has no descriptor left.
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  [[nodiscard]] int fd() const { return fd_; }
  /// Signals that came since the last call.
  [[nodiscard]] std::size_t take();

 private:
  int fd_;
};

}  // namespace parley::broker
