#include "broker/core/outbox.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/wire/bundle.hpp"

namespace parley::broker {
namespace {

constexpr std::string_view kErrorType = "parley.Error";
constexpr std::string_view kRetryAfterMs = "100";
/// Errors and session control may exceed the cap of a session's queue by this much.
constexpr std::size_t kReserveBytes = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kMaxStrangerFrames = 1024;

const ByteBuffer& retry_attributes() {
  static const ByteBuffer kEncoded = [] {
    ByteBuffer encoded;
    (void)wire::append_attribute(encoded, wire::attribute::kRetryAfterMs, kRetryAfterMs);
    return encoded;
  }();
  return kEncoded;
}

}  // namespace

void Outbox::data(Session& session, const wire::EnvelopeFields& fields) {
  const std::size_t bytes = wire::kEnvelopeHeaderBytes + fields.target.size() + fields.payload_type.size() +
                            fields.attributes.size() + fields.payload.size();
  FrameQueue& queue = session.out.data();
  if (append_envelope(queue.open(bytes), fields)) queue.added();
  wrote(session);
}

void Outbox::control(Session& session, const wire::EnvelopeFields& fields) {
  FrameQueue& queue = session.out.control();
  if (append_envelope(queue.open(wire::kEnvelopeHeaderBytes + fields.payload.size()), fields)) queue.added();
  wrote(session);
}

void Outbox::accept(Session& session, std::uint64_t message_id, std::uint32_t recipients) {
  session.out.accept(message_id, recipients);
  wrote(session);
}

void Outbox::wrote(Session& session) {
  mark(session);
  if (session.out.bytes() > state_.config.max_session_queue_bytes + kReserveBytes) [[unlikely]] {
    doom(session, "it does not take what is meant for it");
  }
}

void Outbox::error(Session& session, std::uint64_t message_id, const Error& error) {
  state_.counters.errors++;
  wire::EnvelopeFields fields;
  fields.kind = wire::Kind::error;
  fields.message_id = message_id;
  fields.code = error.code;
  fields.payload_type = kErrorType;
  fields.payload = as_bytes(error.message);
  if (error.code == ErrorCode::overloaded) {
    state_.counters.overloaded++;
    fields.attributes = retry_attributes().bytes();
  }
  data(session, fields);
}

void Outbox::reply(Session& session, std::uint64_t message_id, std::string_view payload_type, Bytes payload) {
  wire::EnvelopeFields fields;
  fields.kind = wire::Kind::reply;
  fields.message_id = message_id;
  fields.payload_type = payload_type;
  fields.payload = payload;
  if (payload.size() > wire::kMaxPayloadBytes) {
    error(session, message_id, {ErrorCode::too_large, "the answer is too large; ask for fewer rows"});
  } else if (!fits(session, wire::kEnvelopeHeaderBytes + payload.size())) {
    error(session, message_id, {ErrorCode::overloaded, "the session's queue is full"});
  } else {
    data(session, fields);
  }
}

void Outbox::trace(const Queued& queued, const Session& peer, std::size_t bytes) {
  const auto flags = wire::load<std::uint8_t>(queued.bytes + wire::layout::kFlags);
  if ((flags & wire::kFlagTraced) == 0) [[likely]]
    return;
  if (const auto envelope = wire::EnvelopeView::parse({queued.bytes, bytes})) trace(*envelope, peer);
}

void Outbox::doom(Session& session, std::string reason, Parting parting) {
  if (std::exchange(session.is_doomed, true)) return;
  state_.doomed.push_back({session.slot, session.token, std::move(reason), parting});
}

void Outbox::probe(Session& session) {
  if (session.out.bytes() > 0) return;  // What waits will tell.
  session.out.control().open(0);
  session.out.control().added();
  mark(session);
}

void Outbox::reset(PeerHandle peer, SessionToken token, std::string reason) {
  state_.counters.resets++;
  const bool is_told =
      std::ranges::any_of(state_.strangers, [&](const StrangerFrame& told) { return told.peer == peer; });
  if (is_told || state_.strangers.size() >= kMaxStrangerFrames) {
    state_.counters.discarded_frames++;
    return;
  }
  const ByteBuffer body = wire::encode_body(wire::Reason{std::move(reason)});
  wire::EnvelopeFields fields;
  fields.kind = wire::Kind::reset;
  fields.payload = body.bytes();
  StrangerFrame& stranger = state_.strangers.emplace_back();
  stranger.peer = peer;
  wire::begin_bundle(stranger.frame, token);
  (void)append_envelope(stranger.frame, fields);
}

}  // namespace parley::broker
