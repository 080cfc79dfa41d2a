// Which calls of a model run and which wait, first come first served. Pure; one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace parley::llm {

class CallQueue {
 public:
  using Ticket = std::uint64_t;
  enum class Entry : std::uint8_t { running, waiting, full };

  CallQueue(std::size_t max_running, std::size_t max_waiting) : max_running_(max_running), max_waiting_(max_waiting) {}

  /// `running`: leave() must follow. `waiting`: the ticket is last_ticket(); leave() of another call grants it, unless
  /// abandon() comes first. `full`: the call must be refused.
  Entry enter() {
    if (running_ < max_running_) {
      ++running_;
      return Entry::running;
    }
    if (waiting_.size() >= max_waiting_) return Entry::full;
    waiting_.push_back(++last_ticket_);
    return Entry::waiting;
  }
  [[nodiscard]] Ticket last_ticket() const { return last_ticket_; }

  /// A running call has ended. Whose turn it is now; that call runs, and leave() must follow.
  std::optional<Ticket> leave() {
    if (waiting_.empty()) {
      --running_;
      return std::nullopt;
    }
    const Ticket next = waiting_.front();
    waiting_.pop_front();
    return next;
  }
  void abandon(Ticket ticket) { std::erase(waiting_, ticket); }

  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  std::size_t max_running_;
  std::size_t max_waiting_;
  std::size_t running_ = 0;
  std::deque<Ticket> waiting_;
  Ticket last_ticket_ = 0;
};

}  // namespace parley::llm
