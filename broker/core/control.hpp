// Control requests of a session (REGISTER_TYPE, UNREGISTER_TYPE, SUBSCRIBE, UNSUBSCRIBE, QUERY, OPERATE), each answered
// by one REPLY or ERROR, and the passivation handshake. One thread.
#pragma once

#include <string_view>
#include <vector>

#include "broker/core/inquiries.hpp"
#include "broker/core/lifecycle.hpp"
#include "broker/core/offers.hpp"
#include "broker/core/operations.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/reports.hpp"
#include "broker/core/router.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Control {
 public:
  /// All must outlive the control.
  Control(State& state, Outbox& outbox, Settlement& settlement, Placement& placement, Router& router,
          Lifecycle& lifecycle, Offers& offers)
      : state_(state),
        outbox_(outbox),
        placement_(placement),
        router_(router),
        offers_(offers),
        reports_(state),
        inquiries_(state, outbox),
        operations_(state, outbox, settlement, placement, lifecycle) {}

  void on_register_type(Session& session, const wire::EnvelopeView& envelope);
  void on_unregister_type(Session& session, const wire::EnvelopeView& envelope);
  void on_subscribe(Session& session, const wire::EnvelopeView& envelope);
  void on_unsubscribe(Session& session, const wire::EnvelopeView& envelope);
  void on_query(Session& session, const wire::EnvelopeView& envelope);
  void on_operate(Session& session, const wire::EnvelopeView& envelope);
  [[nodiscard]] Inquiries& inquiries() { return inquiries_; }
  [[nodiscard]] const Inquiries& inquiries() const { return inquiries_; }

  /// The worker asks to put an activation away: nothing more is sent to it, and PASSIVATE goes back behind what was.
  void on_passivate(Session& session, const wire::EnvelopeView& envelope);
  /// The activation is gone: what was held for it is placed anew.
  void on_deactivated(Session& session, const wire::EnvelopeView& envelope);

 private:
  template <class Body, class Act>
  void answer(Session& session, const wire::EnvelopeView& envelope, Act act);
  /// The activation that a worker speaks of, or kNil when it is not (any more) the one it has.
  [[nodiscard]] std::uint32_t find_own(const Session& session, const wire::EnvelopeView& envelope) const;

  State& state_;
  Outbox& outbox_;
  Placement& placement_;
  Router& router_;
  Offers& offers_;
  Reports reports_;
  Inquiries inquiries_;
  Operations operations_;
};

}  // namespace parley::broker
