#include "broker/core/dead_letters.hpp"

#include <algorithm>

namespace parley::broker {

void DeadLetters::add(const wire::EnvelopeView& envelope, std::string_view recipient, const Error& error, WallTime at) {
  Letter letter{++total_, at, error.code, error.message, std::string(recipient), ByteBuffer(envelope.bytes())};
  if (letter.bytes() > max_bytes_ || max_letters_ == 0) return;
  bytes_ += letter.bytes();
  letters_.push_back(std::move(letter));
  while (letters_.size() > max_letters_ || bytes_ > max_bytes_) {
    bytes_ -= letters_.front().bytes();
    letters_.pop_front();
  }
}

wire::DeadLetterRow DeadLetters::Letter::row() const {
  wire::DeadLetterRow row;
  row.id = id;
  row.at_ms = static_cast<std::uint64_t>(at.time_since_epoch().count());
  row.recipient = recipient;
  row.code = to_string(code);
  row.reason = reason;
  if (const auto view = wire::EnvelopeView::parse(envelope.bytes())) {
    row.kind = to_string(view->kind());
    row.source = view->source();
    row.target = view->target();
    row.payload_type = view->payload_type();
    row.payload_bytes = view->payload().size();
  }
  return row;
}

wire::DeadLetterReport DeadLetters::totals() const {
  wire::DeadLetterReport report;
  report.total = total_;
  report.evicted = total_ - letters_.size();
  return report;
}

wire::DeadLetterReport DeadLetters::list(std::uint64_t after, std::uint32_t limit) const {
  wire::DeadLetterReport report = totals();
  auto it = std::ranges::upper_bound(letters_, after, {}, &Letter::id);
  for (; it != letters_.end() && report.rows.size() < limit; ++it) report.rows.push_back(it->row());
  return report;
}

wire::DeadLetterReport DeadLetters::show(std::uint64_t id) const {
  wire::DeadLetterReport report = totals();
  const auto it = std::ranges::lower_bound(letters_, id, {}, &Letter::id);
  if (it == letters_.end() || it->id != id) return report;
  report.rows.push_back(it->row());
  const std::string_view bytes = it->envelope.text();
  report.envelope.assign(bytes.begin(), bytes.end());
  return report;
}

}  // namespace parley::broker
