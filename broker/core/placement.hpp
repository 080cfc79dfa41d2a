// Where a message goes: to the worker that has its agent id, to the least loaded one that hosts its type, or into
// waiting (held for an activation that is being put away, parked for a type without a worker). One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/core/id_text.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Placement {
 public:
  /// All must outlive the placement.
  Placement(State& state, Outbox& outbox, Settlement& settlement)
      : state_(state), outbox_(outbox), settlement_(settlement) {}

  /// Brings a request or send to its target: an agent id or `@capability[/key]`.
  Failure route(std::uint32_t slot, const wire::EnvelopeView& envelope);
  /// Brings a message to the agent `type/key`.
  Failure route_to_type(std::uint32_t slot, AgentType& type, std::string_view key, Bytes envelope);
  /// Brings a message that was taken off its list (place `routing`, envelope kept) on its way again, or fails it.
  void reroute(std::uint32_t slot);
  /// Sends what is parked for the type to its workers, in order.
  void unpark(AgentType& type);

  /// Starts an activation that was announced or placed; tells nobody. The owner of an announced one marks it so.
  std::uint32_t activate(AgentType& type, Session& worker, std::string_view id, Epoch epoch);
  /// Ends an activation; what was held for it is appended to `orphans` in place `routing`.
  void deactivate(std::uint32_t activation, std::vector<std::uint32_t>& orphans);
  /// Has its worker put an activation away when it has handled what it was sent; later messages are held.
  void ask_passivation(std::uint32_t activation);

  /// As ask_passivation(), for an activation whose worker has unregistered its type.
  void let_go(std::uint32_t activation);

  /// Keeps every activation of a lost worker from being placed anew until then: its messages are held. What was held
  /// before is appended to `orphans`, for reroute().
  void fence(Session& worker, TimePoint until, std::vector<std::uint32_t>& orphans);
  /// Ends the activations of a fence; what was held for them is appended to `orphans`.
  void lift(const Fence& fence, std::vector<std::uint32_t>& orphans);

 private:
  Failure route_to_capability(std::uint32_t slot, const wire::EnvelopeView& envelope);
  Failure place(std::uint32_t slot, AgentType& type, std::string_view id, Bytes envelope);
  void tell_epoch(const Activation& activation);
  Failure hand_over(std::uint32_t slot, std::uint32_t activation, Bytes envelope);
  Failure hold(std::uint32_t slot, std::uint32_t activation, Bytes envelope);
  Failure park(std::uint32_t slot, AgentType& type, Bytes envelope);
  [[nodiscard]] Failure check_quarantine(std::string_view id);
  void leave_hosting(Activation& activation);
  [[nodiscard]] Error unknown_type(std::string_view name);

  State& state_;
  Outbox& outbox_;
  Settlement& settlement_;
  IdText id_;
};

}  // namespace parley::broker
