#include "libmsg/net/io_queues.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace parley::net {
namespace {

std::size_t bytes_of(const Inbound& inbound) {
  const auto* frame = std::get_if<Frame>(&inbound.what);
  return frame == nullptr ? 0 : frame->bytes().size();
}

}  // namespace

// Loop thread
// ----------------------------------------------------------------------------------------------------------

void IoQueues::post(Command command) {
  {
    const std::lock_guard lock(outbound_mutex_);
    outbound_.push_back(std::move(command));
  }
  if (is_asleep_.exchange(false)) wake_fd_.signal();
}

bool IoQueues::ride_along(std::size_t connection, const Consumed& consumed) {
  const std::lock_guard lock(outbound_mutex_);
  if (outbound_.empty()) return false;
  outbound_.push_back({connection, consumed});
  return true;
}

bool IoQueues::take_room(std::size_t batch_bytes) {
  if (outbound_bytes_.load(std::memory_order_relaxed) + batch_bytes > max_outbound_bytes_) return false;
  outbound_bytes_.fetch_add(batch_bytes, std::memory_order_relaxed);
  return true;
}

void IoQueues::deliver(Inbound inbound) {
  bool was_empty = false;
  {
    const std::lock_guard lock(inbound_mutex_);
    was_empty = inbound_.empty();
    inbound_bytes_ += bytes_of(inbound);
    inbound_.push_back(std::move(inbound));
  }
  if (was_empty) wake_loop_();
}

bool IoQueues::take_inbound(std::vector<Inbound>& into) {
  std::vector<Inbound> taken;
  {
    const std::lock_guard lock(inbound_mutex_);
    taken.swap(inbound_);
    inbound_bytes_ = 0;
  }
  if (is_stalled_.exchange(false)) wake_fd_.signal();
  if (taken.empty()) return false;
  if (into.empty()) {
    into = std::move(taken);
  } else {
    std::ranges::move(taken, std::back_inserter(into));
  }
  return true;
}

void IoQueues::ask_stop(const std::string& reason) {
  {
    const std::lock_guard lock(outbound_mutex_);
    if (!stop_reason_) stop_reason_ = reason;
  }
  is_stopping_ = true;
  wake_fd_.signal();
}

// I/O thread
// -----------------------------------------------------------------------------------------------------------

void IoQueues::take_commands(std::vector<Command>& into) {
  const std::lock_guard lock(outbound_mutex_);
  into.swap(outbound_);
}

bool IoQueues::has_inbound_room() {
  const std::lock_guard lock(inbound_mutex_);
  if (inbound_bytes_ < max_inbound_bytes_) return true;
  is_stalled_ = true;
  return false;
}

void IoQueues::publish(std::vector<Inbound>& items) {
  if (items.empty()) return;
  bool was_empty = false;
  {
    const std::lock_guard lock(inbound_mutex_);
    was_empty = inbound_.empty();
    for (const Inbound& item : items) inbound_bytes_ += bytes_of(item);
    if (was_empty) {
      inbound_.swap(items);
    } else {
      std::ranges::move(items, std::back_inserter(inbound_));
    }
  }
  items.clear();
  if (was_empty) wake_loop_();
}

std::string IoQueues::stop_reason() {
  const std::lock_guard lock(outbound_mutex_);
  return stop_reason_.value_or("stopping");
}

bool IoQueues::fall_asleep() {
  is_asleep_ = true;
  // Whoever queues from here on sees is_asleep_ and signals.
  const std::lock_guard lock(outbound_mutex_);
  return !outbound_.empty();
}

void IoQueues::wake_up(bool was_signalled) {
  is_asleep_ = false;
  if (was_signalled) wake_fd_.clear();
}

}  // namespace parley::net
