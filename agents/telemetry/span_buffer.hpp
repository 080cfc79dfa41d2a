// Finished spans on their way to the collector: bounded, sent in batches, one batch at a time. A batch that could not
// be delivered is tried again, later and later; meanwhile new spans wait, and those that find no room are dropped and
// counted: agents never wait for a collector. Pure. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley::telemetry {

struct BufferLimits {
  /// Spans kept at most, those of the batch under way included.
  std::size_t max_spans = 2048;
  std::size_t max_batch = 512;
  /// How long a span waits for company.
  Duration delay = std::chrono::seconds(1);
  BackoffPolicy retry{std::chrono::seconds(1), std::chrono::seconds(30)};
};

/// Every span ends in exactly one of the first three.
struct SpanCounts {
  std::uint64_t exported = 0;
  std::uint64_t refused = 0;  ///< the collector did not want them
  std::uint64_t dropped = 0;  ///< no room, or no time left at the end
  std::uint64_t waiting = 0;
};

class SpanBuffer {
 public:
  explicit SpanBuffer(BufferLimits limits) : limits_(limits), backoff_(limits.retry) {}

  void add(Span span, TimePoint now);
  /// When a batch is to be sent; nullopt while one is under way or there is nothing to send. `is_urgent`: nobody waits
  /// for company or for the end of a pause any more.
  [[nodiscard]] std::optional<TimePoint> next_export(TimePoint now, bool is_urgent = false) const;
  /// The next batch, which is under way from now on. Valid until one of the three below.
  [[nodiscard]] std::span<const Span> begin_export();

  // What became of the batch under way.
  /// Delivered; of it the collector has refused `rejected`.
  void note_delivered(std::uint64_t rejected);
  /// To be tried again, not before `retry_after` if the collector said so.
  void note_failed(TimePoint now, Random& random, std::optional<Duration> retry_after);
  /// The collector will never want it.
  void note_refused();

  /// Nothing more will be sent.
  void give_up();

  [[nodiscard]] SpanCounts counts() const;
  [[nodiscard]] bool is_empty() const { return queue_.empty() && batch_.empty(); }

 private:
  struct Waiting {
    Span span;
    TimePoint since;
  };

  BufferLimits limits_;
  Backoff backoff_;
  std::deque<Waiting> queue_;
  /// Under way, or waiting to be tried again.
  std::vector<Span> batch_;
  bool is_under_way_ = false;
  std::optional<TimePoint> retry_at_;
  SpanCounts counts_;
};

}  // namespace parley::telemetry
