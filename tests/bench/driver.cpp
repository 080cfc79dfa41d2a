#include "tests/bench/driver.hpp"

#include <algorithm>

namespace parley::bench {
namespace {

constexpr std::uint64_t kRepliesPerLook = 16;
/// Under an open loop so many are under way at most, whatever the system; what is due then waits in the client, and its
/// time counts. Parley's broker refuses a session's 65,537th request.
constexpr std::uint64_t kMaxUnderWay = 32'768;

using SteadyClock = std::chrono::steady_clock;

std::int64_t now_ns() { return SteadyClock::now().time_since_epoch().count(); }

/// Start times by sequence number; a slot is zero when nothing is under way in it.
class Outstanding {
 public:
  explicit Outstanding(std::size_t window) {
    std::size_t slots = 1024;
    while (slots < window * 2) slots *= 2;
    started_.resize(slots);
  }
  void start(std::uint64_t sequence, std::int64_t at) { started_[sequence & (started_.size() - 1)] = {sequence, at}; }
  /// The start time, or 0 when that number is not under way (a duplicate).
  std::int64_t finish(std::uint64_t sequence) {
    Slot& slot = started_[sequence & (started_.size() - 1)];
    if (slot.sequence != sequence) return 0;
    const std::int64_t at = slot.at;
    slot.at = 0;
    return at;
  }

 private:
  struct Slot {
    std::uint64_t sequence = 0;
    std::int64_t at = 0;
  };
  std::vector<Slot> started_;
};

class Run {
 public:
  Run(Transport& transport, const Load& load)
      : transport_(transport), load_(load), outstanding_(load.rate > 0 ? kMaxUnderWay : load.window) {}

  Outcome execute() {
    begin_ = now_ns();
    measure_from_ = begin_ + static_cast<std::int64_t>(load_.warmup_seconds * 1e9);
    const std::int64_t measure_until = measure_from_ + static_cast<std::int64_t>(load_.seconds * 1e9);
    std::int64_t now = begin_;
    while (now < measure_until) {
      send_due(now);
      pump(wait_time(now));
      now = now_ns();
    }
    const double measured = static_cast<double>(now - measure_from_) / 1e9;
    const std::uint64_t counted = outcome_.finished;
    drain();
    outcome_.finished = counted;
    outcome_.seconds = measured;
    outcome_.sent = sent_;
    outcome_.lost = sent_ - done_;
    outcome_.p50_us = static_cast<double>(latencies_.percentile(50)) / 1e3;
    outcome_.p99_us = static_cast<double>(latencies_.percentile(99)) / 1e3;
    outcome_.p999_us = static_cast<double>(latencies_.percentile(99.9)) / 1e3;
    return outcome_;
  }

 private:
  void send_due(std::int64_t now) {
    if (load_.rate <= 0) {
      while (sent_ - done_ < load_.window) send_one(now);
      return;
    }
    while (intended(sent_) <= now && sent_ - done_ < kMaxUnderWay) send_one(intended(sent_));
  }
  [[nodiscard]] std::int64_t intended(std::uint64_t index) const {
    return begin_ + static_cast<std::int64_t>(static_cast<double>(index) * 1e9 / load_.rate);
  }
  [[nodiscard]] std::chrono::microseconds wait_time(std::int64_t now) const {
    if (load_.rate <= 0) return std::chrono::milliseconds(100);
    return std::chrono::microseconds(std::clamp<std::int64_t>((intended(sent_) - now) / 1000, 0, 100'000));
  }
  void send_one(std::int64_t at) {
    outstanding_.start(++sent_, at);
    transport_.send(sent_);
  }
  void pump(std::chrono::microseconds timeout) {
    arrived_in_pump_ = 0;
    transport_.pump(timeout, [this](std::uint64_t sequence) { finish(sequence); });
  }
  void finish(std::uint64_t sequence) {
    const std::int64_t started = outstanding_.finish(sequence);
    if (started == 0) {
      outcome_.duplicated++;
      return;
    }
    // Replies come in batches; a look at the clock for each would cost a fast system more than a slow one.
    if (arrived_in_pump_++ % kRepliesPerLook == 0) arrived_at_ = now_ns();
    done_++;
    if (arrived_at_ < measure_from_) return;
    outcome_.finished++;
    latencies_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(arrived_at_ - started, 0)));
  }
  void drain() {
    const std::int64_t until = now_ns() + static_cast<std::int64_t>(load_.drain_seconds * 1e9);
    while (done_ < sent_ && now_ns() < until) {
      pump(std::chrono::milliseconds(20));
    }
  }

  Transport& transport_;
  Load load_;
  Outstanding outstanding_;
  Histogram latencies_;
  Outcome outcome_;
  std::uint64_t sent_ = 0;
  std::uint64_t done_ = 0;
  std::int64_t begin_ = 0;
  std::int64_t measure_from_ = 0;
  std::int64_t arrived_at_ = 0;
  std::uint64_t arrived_in_pump_ = 0;
};

}  // namespace

Outcome run_load(Transport& transport, const Load& load) { return Run(transport, load).execute(); }

}  // namespace parley::bench
