#include "agents/llm/sse_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace parley::llm {

namespace {
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
}

Result<std::vector<std::string>> SseParser::feed(std::string_view bytes) {
  std::vector<std::string> events;
  while (!bytes.empty()) {
    if (std::exchange(is_after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > max_event_bytes_) return too_large();
    line_.append(piece);
    if (end == std::string_view::npos) break;
    is_after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (Result<> taken = take_line(events); !taken) return fail(std::move(taken).error());
  }
  return events;
}

Result<std::vector<std::string>> SseParser::finish() {
  std::vector<std::string> events;
  if (!line_.empty()) {
    if (Result<> taken = take_line(events); !taken) return fail(std::move(taken).error());
  }
  if (Result<> taken = take_line(events); !taken) return fail(std::move(taken).error());
  return events;
}

Result<> SseParser::take_line(std::vector<std::string>& events) {
  std::string_view line = line_;
  if (std::exchange(is_first_line_, false) && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  Result<> taken;
  if (line.empty()) {
    last_event_id_ = event_id_;
    if (std::exchange(has_data_, false)) events.push_back(std::exchange(data_, {}));
  } else {
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    taken = take_field(line.substr(0, colon), value);
  }
  line_.clear();
  return taken;
}

/// Comments, whose name is empty, and `event`, which says no more than the data, are passed over.
Result<> SseParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (data_.size() + value.size() + 1 > max_event_bytes_) return too_large();
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (name == "id" && !value.contains('\0')) {
    event_id_ = value;
  } else if (name == "retry") {
    std::uint32_t milliseconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    if (error == std::errc() && end == value.data() + value.size()) retry_ = std::chrono::milliseconds(milliseconds);
  }
  return {};
}

std::unexpected<Error> SseParser::too_large() const {
  return fail(ErrorCode::too_large, "an event of the stream exceeds " + std::to_string(max_event_bytes_) + " bytes");
}

}  // namespace parley::llm
