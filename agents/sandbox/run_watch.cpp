#include "agents/sandbox/run_watch.hpp"

#include <algorithm>
#include <csignal>

namespace parley::sandbox {

std::size_t RunWatch::keep(std::size_t kept, std::size_t bytes) {
  output_bytes_ += bytes;
  if (output_bytes_ > limits_.max_flood_bytes) break_limit(Limit::output);
  const std::size_t room = limits_.max_output_bytes - std::min(kept, limits_.max_output_bytes);
  if (bytes > room) is_truncated_ = true;
  return std::min(bytes, room);
}

void RunWatch::on_usage(const Usage& usage) {
  if (usage.memory_bytes > limits_.memory_bytes) break_limit(Limit::memory);
  if (usage.entries > limits_.max_entries) break_limit(Limit::files);
  // The limit itself only makes fork() fail, which a fork bomb answers by trying again.
  crowded_looks_ = usage.threads >= limits_.max_processes ? crowded_looks_ + 1 : 0;
  if (crowded_looks_ >= kCrowdedLooks) break_limit(Limit::processes);
}

void RunWatch::on_exit(int exit_code) {
  constexpr int kSignalled = 128;
  if (exit_code == kSignalled + SIGXCPU) break_limit(Limit::cpu_time);
}

}  // namespace parley::sandbox
