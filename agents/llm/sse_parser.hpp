// Server-sent events: bytes of a response body in, events out. Pure; one thread at a time.
// Source: WHATWG HTML, "Server-sent events". Tolerates what model servers send: any line ending, comments, several
// `data:` lines, no blank line behind the last event.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::llm {

class SseParser {
 public:
  static constexpr std::size_t kMaxEventBytes = std::size_t{1024} * 1024;

  explicit SseParser(std::size_t max_event_bytes = kMaxEventBytes) : max_event_bytes_(max_event_bytes) {}

  /// The data of every event that `bytes` completes, in order; `data:` lines are joined by '\n'. Fails with `too_large`
  /// when a line or an event exceeds the limit; the parser must not be used any further then.
  Result<std::vector<std::string>> feed(std::string_view bytes);
  /// The body ended: the data of an event that lacks its blank line, if there is one.
  Result<std::vector<std::string>> finish();
  /// `id:` of the last whole event that had one: what a reader who lost the stream asks to go on from.
  [[nodiscard]] const std::string& last_event_id() const { return last_event_id_; }
  /// How long a reader who lost the stream is to wait (`retry:`), if the server has said.
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const { return retry_; }

 private:
  Result<> take_line(std::vector<std::string>& events);
  Result<> take_field(std::string_view name, std::string_view value);
  [[nodiscard]] std::unexpected<Error> too_large() const;

  std::size_t max_event_bytes_;
  std::string line_;
  std::string data_;
  std::string event_id_;  ///< of the event that is being read
  std::string last_event_id_;
  std::optional<std::chrono::milliseconds> retry_;
  bool has_data_ = false;
  bool is_first_line_ = true;
  bool is_after_cr_ = false;
};

}  // namespace parley::llm
