#include "broker/core/trace_ring.hpp"

#include <algorithm>

namespace parley::broker {

std::string_view trace_id_of(std::string_view traceparent) {
  constexpr std::size_t kIdAt = 3;
  constexpr std::size_t kIdBytes = 32;
  constexpr std::size_t kTraceparentBytes = 55;
  if (traceparent.size() < kTraceparentBytes || traceparent[2] != '-' || traceparent[kIdAt + kIdBytes] != '-')
    return {};
  const std::string_view id = traceparent.substr(kIdAt, kIdBytes);
  const bool is_hex = std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return is_hex ? id : std::string_view{};
}

void TraceRing::add(const wire::EnvelopeView& envelope, std::string_view peer, std::uint64_t at_us) {
  const auto traceparent = wire::find_attribute(envelope.attributes(), wire::attribute::kTraceparent);
  const std::string_view trace_id = traceparent ? trace_id_of(*traceparent) : std::string_view{};
  if (trace_id.empty() || max_hops_ == 0) return;
  total_++;
  if (entries_.size() == max_hops_) entries_.pop_front();
  Entry& entry = entries_.emplace_back();
  entry.trace_id = trace_id;
  entry.hop.at_us = at_us;
  entry.hop.kind = to_string(envelope.kind());
  entry.hop.source = envelope.source();
  entry.hop.target = envelope.target();
  entry.hop.payload_type = envelope.payload_type();
  entry.hop.peer = peer;
  entry.hop.message_id = envelope.message_id().value();
  entry.hop.delivery_id = envelope.delivery_id().value();
  entry.hop.payload_bytes = envelope.payload().size();
  if (envelope.kind() == wire::Kind::error) entry.hop.code = to_string(envelope.code());
}

void TraceRing::add_failure(const wire::EnvelopeView& envelope, std::string_view peer, ErrorCode code,
                            std::uint64_t at_us) {
  const std::uint64_t before = total_;
  add(envelope, peer, at_us);
  if (total_ == before) return;
  wire::TraceHop& hop = entries_.back().hop;
  hop.kind = to_string(wire::Kind::error);
  hop.payload_type.clear();
  hop.payload_bytes = 0;
  hop.code = to_string(code);
}

wire::TraceReport TraceRing::find(std::string_view trace_id, std::uint32_t limit) const {
  wire::TraceReport report;
  report.trace_id = trace_id;
  for (const Entry& entry : entries_) {
    if (report.hops.size() == limit) break;
    if (entry.trace_id == trace_id) report.hops.push_back(entry.hop);
  }
  return report;
}

}  // namespace parley::broker
