// What agents say to each other, as it comes in: requests, sends, events, cancels on the way to their targets; replies,
// parts, errors and DONE on the way back. The hot path of the broker: no allocation per message in steady state.
// One thread.
#pragma once

#include <cstdint>

#include "broker/core/id_text.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Router {
 public:
  /// All must outlive the router.
  Router(State& state, Outbox& outbox, Settlement& settlement, Placement& placement)
      : state_(state), outbox_(outbox), settlement_(settlement), placement_(placement) {}

  void on_request(Session& from, const wire::EnvelopeView& envelope);
  void on_send(Session& from, const wire::EnvelopeView& envelope);
  void on_event(Session& from, const wire::EnvelopeView& envelope);
  void on_cancel(Session& from, const wire::EnvelopeView& envelope);
  /// REPLY, ERROR or PART of a worker.
  void on_answer(Session& worker, const wire::EnvelopeView& envelope);
  void on_done(Session& worker, const wire::EnvelopeView& envelope);
  /// Lets everything go that waits for the end of recovery, in order.
  void end_recovery();
  /// Message ids ascend in a session; takes the new one or says what is wrong.
  [[nodiscard]] Failure take_message_id(Session& from, const wire::EnvelopeView& envelope);

 private:
  [[nodiscard]] Failure check(Session& from, const wire::EnvelopeView& envelope);
  [[nodiscard]] bool is_leaving(const Session& worker, std::string_view id) const;
  [[nodiscard]] Limit limit_of(const wire::EnvelopeView& envelope) const;
  [[nodiscard]] bool must_wait_for_recovery(const Session& from, const wire::EnvelopeView& envelope);
  void refuse(Session& from, std::uint64_t id, const Error& error);
  Failure hold_for_recovery(std::uint32_t slot, Session& from, Bytes envelope);
  std::uint32_t fan_out(const wire::EnvelopeView& event, Limit limit);
  void forward_part(std::uint32_t slot, const wire::EnvelopeView& envelope);
  void forward_answer(std::uint32_t slot, const wire::EnvelopeView& envelope);

  State& state_;
  Outbox& outbox_;
  Settlement& settlement_;
  Placement& placement_;
  IdText id_;
};

}  // namespace parley::broker
