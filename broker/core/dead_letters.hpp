// Messages that could not be delivered or handled, kept with their reason for a person to look at. Bounded in number
// and bytes: the oldest make room, counted. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::broker {

class DeadLetters {
 public:
  DeadLetters(std::uint32_t max_letters, std::size_t max_bytes) : max_letters_(max_letters), max_bytes_(max_bytes) {}

  /// `recipient` is the agent id of one recipient of an event, else empty. A letter too large to keep is only counted.
  void add(const wire::EnvelopeView& envelope, std::string_view recipient, const Error& error, WallTime at);

  /// Rows with an id above `after`, oldest first.
  [[nodiscard]] wire::DeadLetterReport list(std::uint64_t after, std::uint32_t limit) const;
  /// The one row and its envelope; no row when it is not (or no longer) there.
  [[nodiscard]] wire::DeadLetterReport show(std::uint64_t id) const;

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::size_t kept() const { return letters_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Letter {
    std::uint64_t id = 0;
    WallTime at;
    ErrorCode code = ErrorCode::invalid;
    std::string reason;
    std::string recipient;
    ByteBuffer envelope;

    [[nodiscard]] std::size_t bytes() const {
      return sizeof(Letter) + reason.size() + recipient.size() + envelope.size();
    }
    [[nodiscard]] wire::DeadLetterRow row() const;
  };

  [[nodiscard]] wire::DeadLetterReport totals() const;

  std::uint32_t max_letters_;
  std::size_t max_bytes_;
  std::deque<Letter> letters_;
  std::size_t bytes_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace parley::broker
