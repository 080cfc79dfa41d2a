#include "tests/bench/receipts.hpp"

#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

namespace parley::bench {
namespace {

constexpr std::chrono::milliseconds kQuiet{150};

sigset_t only_sigterm() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Closing::Closing() {
  const sigset_t set = only_sigterm();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool Closing::is_over(const Tally& tally) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_asked_) {
    const sigset_t set = only_sigterm();
    constexpr timespec kAtOnce{};
    if (sigtimedwait(&set, nullptr, &kAtOnce) != SIGTERM) return false;
    is_asked_ = true;
    changed_ = now;
  }
  const std::uint64_t arrived = tally.arrived + tally.duplicated;
  if (arrived != last_arrived_) changed_ = now;
  last_arrived_ = arrived;
  return now - changed_ >= kQuiet;
}

void Closing::report(const Tally& tally) {
  std::cout << nlohmann::json{{"arrived", tally.arrived}, {"duplicated", tally.duplicated}}.dump() << std::endl;
}

}  // namespace parley::bench
