#include "agents/telemetry/span_buffer.hpp"

#include <algorithm>
#include <utility>

namespace parley::telemetry {

void SpanBuffer::add(Span span, TimePoint now) {
  if (queue_.size() + batch_.size() >= limits_.max_spans) {
    counts_.dropped++;
    return;
  }
  queue_.push_back({std::move(span), now});
}

std::optional<TimePoint> SpanBuffer::next_export(TimePoint now, bool is_urgent) const {
  if (is_under_way_ || is_empty()) return std::nullopt;
  if (is_urgent) return now;
  if (!batch_.empty()) return retry_at_.value_or(now);
  return queue_.size() >= limits_.max_batch ? now : queue_.front().since + limits_.delay;
}

std::span<const Span> SpanBuffer::begin_export() {
  is_under_way_ = true;
  retry_at_.reset();
  if (batch_.empty()) {
    const std::size_t count = std::min(queue_.size(), limits_.max_batch);
    batch_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      batch_.push_back(std::move(queue_.front().span));
      queue_.pop_front();
    }
  }
  return batch_;
}

void SpanBuffer::note_delivered(std::uint64_t rejected) {
  const std::uint64_t refused = std::min<std::uint64_t>(rejected, batch_.size());
  counts_.refused += refused;
  counts_.exported += batch_.size() - refused;
  batch_.clear();
  backoff_.reset();
  is_under_way_ = false;
}

void SpanBuffer::note_failed(TimePoint now, Random& random, std::optional<Duration> retry_after) {
  is_under_way_ = false;
  retry_at_ = now + std::max(backoff_.next(random), retry_after.value_or(Duration::zero()));
}

void SpanBuffer::note_refused() { note_delivered(batch_.size()); }

void SpanBuffer::give_up() {
  counts_.dropped += queue_.size() + batch_.size();
  queue_.clear();
  batch_.clear();
  is_under_way_ = false;
  retry_at_.reset();
}

SpanCounts SpanBuffer::counts() const {
  SpanCounts counts = counts_;
  counts.waiting = queue_.size() + batch_.size();
  return counts;
}

}  // namespace parley::telemetry
