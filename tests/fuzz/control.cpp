// Any bytes as a control body: every decoder gives a value or `invalid`, and a peer that gets them from its broker, as
// any kind, keeps its state machine. The first byte is the kind, the rest the body. [P-CTL-4] [P-LIM-8]
#include "libmsg/wire/control.hpp"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "libmsg/link/peer_link.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/wire/bundle.hpp"

namespace {

using namespace parley;

template <class Body>
void decode(Bytes body) {
  const auto decoded = wire::decode_body<Body>(body);
  if (!decoded) return;
  // What was understood can be said again, and means the same.
  const ByteBuffer again = wire::encode_body(*decoded);
  if (!wire::decode_body<Body>(again.bytes())) std::abort();
}

void decode_all(Bytes body) {
  decode<wire::Hello>(body);
  decode<wire::Welcome>(body);
  decode<wire::Reason>(body);
  decode<wire::TypeRegistration>(body);
  decode<wire::TypeName>(body);
  decode<wire::SubscriptionBody>(body);
  decode<wire::SubscriptionId>(body);
  decode<wire::Query>(body);
  decode<wire::WorkerVitals>(body);
  decode<wire::Operate>(body);
  decode<wire::OperateReport>(body);
  decode<wire::PsReport>(body);
  decode<wire::TraceReport>(body);
  decode<wire::DeadLetterReport>(body);
  decode<wire::WhereReport>(body);
  decode<wire::ActivationReport>(body);
  decode<wire::ActivationVitals>(body);
  decode<messages::Text>(body);
  decode<messages::Answer>(body);
  decode<messages::TextPart>(body);
  decode<messages::Routed>(body);
}

ByteBuffer frame_of(wire::Kind kind, Bytes payload, SessionToken token) {
  ByteBuffer frame;
  wire::begin_bundle(frame, token);
  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.target = "critic/alice";
  fields.message_id = 1;
  fields.payload = payload;
  (void)wire::append_envelope(frame, fields);
  return frame;
}

void drain(link::PeerLink& link, TimePoint now) {
  for (int i = 0; i < 100 && link.next_frame(now); ++i) {
  }
  for (int i = 0; i < 100 && link.take_event(); ++i) {
  }
}

/// The body once while the link waits for WELCOME and once in a session.
void feed_link(wire::Kind kind, Bytes body) {
  SeededRandom random(1);
  TimePoint now{std::chrono::hours(1)};
  for (const bool is_in_session : {false, true}) {
    link::PeerLink link({.name = "fuzz", .incarnation = 1}, random);
    link.on_opened(now);
    drain(link, now);
    const SessionToken token(is_in_session ? 7 : 0);
    if (is_in_session) {
      wire::Welcome welcome;
      welcome.token = token.value();
      link.on_frame(frame_of(wire::Kind::welcome, wire::encode_body(welcome).bytes(), token).bytes(), now);
      if (!link.is_ready()) std::abort();
    }
    link.on_frame(frame_of(kind, body, token).bytes(), now);
    for (int step = 0; step < 5; ++step) {
      drain(link, now);
      now += std::chrono::seconds(1);
      link.on_tick(now);
      if (link.take_reopen(now)) link.on_opened(now);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto kind = static_cast<wire::Kind>(data[0]);
  const Bytes body = input.subspan(1);
  decode_all(body);
  if (body.size() <= wire::kMaxPayloadBytes) feed_link(kind, body);
  return 0;
}
