// Writes what the broker itself has to say: answers, errors, session control. Keeps every queue within its bound; a
// peer that does not even take its errors loses its session. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/core/state.hpp"
#include "libmsg/core/error.hpp"

namespace parley::broker {

class Outbox {
 public:
  /// `state` must outlive the outbox.
  explicit Outbox(State& state) : state_(state) {}

  /// Lists the session for the next flush.
  void mark(Session& session) {
    if (session.is_dirty) return;
    session.is_dirty = true;
    state_.dirty.push_back(session.slot);
  }
  /// True when an envelope of so many bytes may still be queued for the session.
  [[nodiscard]] bool fits(const Session& session, std::size_t bytes) const {
    return session.backlog_bytes() + bytes <= state_.config.max_session_queue_bytes;
  }

  /// ERROR for a message of the session; an `overloaded` one says when to try again.
  void error(Session& session, std::uint64_t message_id, const Error& error);
  /// Lists a one-way message in the next ACCEPTED.
  void accept(Session& session, std::uint64_t message_id, std::uint32_t recipients);
  /// REPLY to a control request. Becomes an ERROR when it does not fit.
  void reply(Session& session, std::uint64_t message_id, std::string_view payload_type, Bytes payload);
  /// A data envelope of the broker's own (ACTIVATE, PASSIVATE, EVICT, CANCEL), in order with the session's other data.
  void data(Session& session, const wire::EnvelopeFields& fields);
  /// A control envelope: before all data.
  void control(Session& session, const wire::EnvelopeFields& fields);
  /// Ends the session soon, when nothing works on it.
  void doom(Session& session, std::string reason, Parting parting = Parting::lost);
  /// Sends a bundle with nothing in it: a transport that cannot take it says that the connection is gone.
  void probe(Session& session);

  /// Records the hop of a traced envelope that came from or goes to a session.
  void trace(const wire::EnvelopeView& envelope, const Session& peer) {
    if (envelope.is_traced()) [[unlikely]]
      state_.traces.add(envelope, peer.name, state_.wall_us());
  }
  void trace(const Queued& queued, const Session& peer, std::size_t bytes);

  /// RESET for a connection without a (matching) session; `token` is the one that it used.
  void reset(PeerHandle peer, SessionToken token, std::string reason);

 private:
  /// Marks the session, and dooms it when it takes nothing although its queue is beyond all bounds.
  void wrote(Session& session);

  State& state_;
};

}  // namespace parley::broker
