// The last hops of traced messages, for `parley trace`. Bounded: the oldest hop makes room. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>

#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::broker {

class TraceRing {
 public:
  explicit TraceRing(std::uint32_t max_hops) : max_hops_(max_hops) {}

  /// Records one hop of an envelope whose `traceparent` names a trace; others are ignored.
  void add(const wire::EnvelopeView& envelope, std::string_view peer, std::uint64_t at_us);
  /// Records that the broker itself failed the request `envelope`, told to `peer`.
  void add_failure(const wire::EnvelopeView& envelope, std::string_view peer, ErrorCode code, std::uint64_t at_us);
  /// The hops of a trace, oldest first, at most `limit`.
  [[nodiscard]] wire::TraceReport find(std::string_view trace_id, std::uint32_t limit) const;
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  struct Entry {
    std::string trace_id;
    wire::TraceHop hop;
  };
  std::uint32_t max_hops_;
  std::deque<Entry> entries_;
  std::uint64_t total_ = 0;
};

/// The trace id inside a W3C traceparent (`00-<32 hex digits>-<16 hex digits>-<2 hex digits>`); empty when malformed.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

}  // namespace parley::broker
