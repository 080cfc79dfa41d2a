// What the end of a session leaves behind: calls that nobody waits for, activations, deliveries in hand, messages that
// were never sent. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/offers.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Departure {
 public:
  /// All must outlive the departure.
  Departure(State& state, Settlement& settlement, Placement& placement, Offers& offers)
      : state_(state), settlement_(settlement), placement_(placement), offers_(offers) {}

  /// Cleans up; what can still be delivered is appended to `orphans` in order, for Placement::reroute. Of a lost worker
  /// it keeps which agents it had in hand.
  void perform(Session& session, const std::string& reason, Parting parting, std::vector<std::uint32_t>& orphans);

 private:
  void leave_as_caller(Session& session);
  void remember_loss(Session& session, const std::string& reason);
  void leave_as_host(Session& session, Parting parting, std::vector<std::uint32_t>& orphans);
  void take_unsent(Session& session, std::vector<std::uint32_t>& orphans);

  State& state_;
  Settlement& settlement_;
  Placement& placement_;
  Offers& offers_;
};

}  // namespace parley::broker
