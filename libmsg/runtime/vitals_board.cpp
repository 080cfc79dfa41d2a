#include "libmsg/runtime/vitals_board.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "libmsg/core/ids.hpp"

namespace parley {
namespace {

std::uint64_t to_ms(Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration / std::chrono::milliseconds(1), 0));
}

/// What `agent_id` has kept the loop busy with since `lag`, nobody else has made progress in either.
void age(wire::WorkerVitals& vitals, const std::string& agent_id, Duration lag) {
  const std::uint64_t stuck_ms = to_ms(lag);
  const std::string_view type = split_id(agent_id).type;
  for (wire::TypeVitals& row : vitals.types) {
    if (row.name == type) row.inflight = std::max(row.inflight, 1U);
    if (row.inflight > 0) row.oldest_without_progress_ms = std::max(row.oldest_without_progress_ms, stuck_ms);
    if (row.waiting > 0) row.oldest_waiting_ms += stuck_ms;
  }
  for (wire::ActivationVitals& row : vitals.activations) {
    if (row.without_progress_ms > 0) row.without_progress_ms = std::max(row.without_progress_ms, stuck_ms);
    if (row.waiting > 0) row.oldest_waiting_ms += stuck_ms;
  }
  if (agent_id.empty()) return;
  std::erase(vitals.executing, agent_id);
  vitals.executing.insert(vitals.executing.begin(), agent_id);
  if (vitals.executing.size() > wire::kMaxVitalsExecuting) vitals.executing.pop_back();
}

}  // namespace

void SharedText::set(std::string_view text) {
  const std::uint64_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  text = text.substr(0, kMaxBytes);
  size_.store(text.size(), std::memory_order_relaxed);
  for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
    words_[at / sizeof word].store(word, std::memory_order_relaxed);
  }
  version_.store(version + 2, std::memory_order_release);
}

std::string SharedText::get() const {
  constexpr int kAttempts = 100;
  std::array<std::uint64_t, kMaxBytes / sizeof(std::uint64_t)> copy{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint64_t before = version_.load(std::memory_order_acquire);
    const std::size_t size = std::min<std::size_t>(size_.load(std::memory_order_relaxed), kMaxBytes);
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      copy[at / sizeof(std::uint64_t)] = words_[at / sizeof(std::uint64_t)].load(std::memory_order_relaxed);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 != 0 || version_.load(std::memory_order_relaxed) != before) continue;
    std::string text(size, '\0');
    std::memcpy(text.data(), copy.data(), size);
    return text;
  }
  return {};
}

void VitalsBoard::post(wire::WorkerVitals news, TimePoint now) {
  due_at_.store((now + kPeriod).time_since_epoch().count(), std::memory_order_relaxed);
  is_asked_.store(false, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  news_ = std::move(news);
  if (asked_at_) last_lag_ = now - *asked_at_;
  asked_at_.reset();
}

bool VitalsBoard::ask(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (asked_at_) return false;
  asked_at_ = now;
  is_asked_.store(true, std::memory_order_relaxed);
  return true;
}

wire::WorkerVitals VitalsBoard::read(TimePoint now) const {
  wire::WorkerVitals vitals;
  Duration due{};
  Duration last_lag{};
  {
    const std::lock_guard lock(mutex_);
    vitals = news_;
    if (asked_at_) due = now - *asked_at_;
    last_lag = last_lag_;
  }
  vitals.loop_lag_ms = to_ms(std::max(due, last_lag));
  if (due >= kNoticeable) age(vitals, running_.get(), due);
  return vitals;
}

}  // namespace parley
