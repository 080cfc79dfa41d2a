// OPERATE: what a person or the supervisor does to agents and workers through the broker (PROTOCOL.md §10, Operations).
// One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/core/lifecycle.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Operations {
 public:
  /// All must outlive the operations.
  Operations(State& state, Outbox& outbox, Settlement& settlement, Placement& placement, Lifecycle& lifecycle)
      : state_(state), outbox_(outbox), settlement_(settlement), placement_(placement), lifecycle_(lifecycle) {}

  /// What the peer of that name has ordered. Fails with `invalid` for an unknown `what`, a malformed key or nothing to
  /// act on, with `overloaded` when too much is quarantined.
  Result<wire::OperateReport> perform(const std::string& peer, const wire::Operate& order);

 private:
  Result<wire::OperateReport> quarantine(const std::string& peer, const wire::Operate& order);
  Result<wire::OperateReport> release(const wire::Operate& order);
  Result<wire::OperateReport> evict(const wire::Operate& order);
  Result<wire::OperateReport> drain(const wire::Operate& order);
  /// Ends what waits in the broker for an agent id or agent type that is quarantined now.
  void refuse_waiting(std::string_view key);
  /// Everything that is parked or held for the type, one list after the other.
  [[nodiscard]] std::vector<std::uint32_t> waiting_for(AgentType& type) const;

  State& state_;
  Outbox& outbox_;
  Settlement& settlement_;
  Placement& placement_;
  Lifecycle& lifecycle_;
};

}  // namespace parley::broker
