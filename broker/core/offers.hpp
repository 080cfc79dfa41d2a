// What sessions bring to the bus and take away again: agent types and subscriptions. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/core/placement.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Offers {
 public:
  /// All must outlive the offers.
  Offers(State& state, Settlement& settlement, Placement& placement)
      : state_(state), settlement_(settlement), placement_(placement) {}

  // What holds already is done: a HELLO may have said it before the control request came.
  /// Hosts a type; the caller has checked it. Fails with `invalid` or `overloaded`.
  Result<> add_type(Session& session, const wire::TypeRegistration& offer);
  /// Its activations here are put away; no other worker gets them before that.
  void remove_type(Session& session, std::string_view name);
  /// Fails with `invalid` or `overloaded`.
  Result<> add_subscription(Session& session, const wire::SubscriptionBody& subscription);
  void remove_subscription(Session& session, std::uint64_t id);

  /// Ends the subscriptions of a session that ends, or leaves them to its types. These have lost it already.
  void withdraw(Session& session, Parting parting);
  /// Ends the types that nobody came back for.
  void forget_types();

 private:
  void drop_orphan_subscriptions(AgentType& type);
  void forget_type(AgentType& type);

  State& state_;
  Settlement& settlement_;
  Placement& placement_;
};

}  // namespace parley::broker
