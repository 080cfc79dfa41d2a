// Brings messages to their targets and answers to their callers: requests, sends, events, replies, parts, cancels,
// deadlines. The hot path of the broker: directory, delivery slot, append to a bundle, no allocation. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/outbox.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Router {
 public:
  /// Both must outlive the router.
  Router(State& state, Outbox& outbox) : state_(state), outbox_(outbox) {}

  void on_request(Session& from, const wire::EnvelopeView& envelope);
  void on_send(Session& from, const wire::EnvelopeView& envelope);
  void on_event(Session& from, const wire::EnvelopeView& envelope);
  void on_cancel(Session& from, const wire::EnvelopeView& envelope);
  /// REPLY, ERROR or PART of a worker.
  void on_answer(Session& worker, const wire::EnvelopeView& envelope);
  void on_done(Session& worker, const wire::EnvelopeView& envelope);

  /// Deadlines that passed.
  void expire_due();
  /// Brings a message that was taken off its list (place `routing`, envelope kept) on its way again.
  void reroute(std::uint32_t slot);
  /// Sends what is parked for the type to its workers, in order.
  void unpark(AgentType& type);
  /// Lets everything go that waits for the end of recovery, in order.
  void end_recovery();
  /// Ends a delivery that cannot succeed: ERROR to the caller, or a dead letter.
  void fail(std::uint32_t slot, const Error& error, Bytes envelope);
  /// As above, with the envelope that the slot keeps (requests need none).
  void fail(std::uint32_t slot, const Error& error) { fail(slot, error, state_.deliveries[slot].envelope.bytes()); }
  /// Ends a delivery whose caller is gone.
  void abandon(std::uint32_t slot);
  /// Takes a delivery off the list it waits on; its place becomes `routing`.
  void detach(std::uint32_t slot);
  /// Keeps a copy of the envelope in the slot, which must be in no list.
  void keep(std::uint32_t slot, Bytes envelope);
  /// Starts an activation that was announced or placed; tells nobody.
  std::uint32_t activate(AgentType& type, Session& worker, std::string_view id, Epoch epoch);
  /// Ends an activation; what was held for it is appended to `orphans` in place `routing`.
  void deactivate(std::uint32_t activation, std::vector<std::uint32_t>& orphans);

  /// Message ids ascend in a session; sets the new one or says what is wrong.
  [[nodiscard]] std::optional<Error> take_message_id(Session& from, const wire::EnvelopeView& envelope);

 private:
  using Failure = std::optional<Error>;
  /// Until when a message may live.
  struct Limit {
    TimePoint deadline;
    bool is_given = false;  ///< by its sender
  };

  [[nodiscard]] Failure check(Session& from, const wire::EnvelopeView& envelope);
  [[nodiscard]] Limit limit_of(const wire::EnvelopeView& envelope) const;
  std::uint32_t open(const wire::EnvelopeView& envelope, Limit limit);
  void close(std::uint32_t slot);
  [[nodiscard]] bool must_wait_for_recovery(const Session& from, const wire::EnvelopeView& envelope);
  Failure hold_for_recovery(std::uint32_t slot, Session& from, Bytes envelope);
  Failure route(std::uint32_t slot, const wire::EnvelopeView& envelope);
  Failure route_to_capability(std::uint32_t slot, const wire::EnvelopeView& envelope);
  Failure route_to_type(std::uint32_t slot, AgentType& type, std::string_view key, Bytes envelope);
  Failure place(std::uint32_t slot, AgentType& type, std::string_view id, Bytes envelope);
  Failure hand_over(std::uint32_t slot, std::uint32_t activation, Bytes envelope);
  Failure hold(std::uint32_t slot, std::uint32_t activation, Bytes envelope);
  Failure park(std::uint32_t slot, AgentType& type, Bytes envelope);
  std::uint32_t fan_out(const wire::EnvelopeView& event, Limit limit);
  void set_type(Delivery& delivery, std::uint32_t type);
  void take_back(std::uint32_t slot);
  void expire(std::uint32_t slot);
  void bury(const wire::EnvelopeView& envelope, std::uint32_t type, const Error& error);
  void forward_part(std::uint32_t slot, const wire::EnvelopeView& envelope);
  void forward_answer(std::uint32_t slot, const wire::EnvelopeView& envelope);
  void trace(const wire::EnvelopeView& envelope, const Session& peer);
  void trace_queued(const Queued& queued, const Session& peer, std::size_t bytes);
  std::string_view compose(std::string_view type, std::string_view key);

  State& state_;
  Outbox& outbox_;
  std::string id_;  ///< scratch of compose()
  std::vector<std::uint32_t> due_;
};

}  // namespace parley::broker
