// Sessions from HELLO to their end, and what is due by time. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/departure.hpp"
#include "broker/core/offers.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/router.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Lifecycle {
 public:
  /// All must outlive the lifecycle.
  Lifecycle(State& state, Outbox& outbox, Settlement& settlement, Placement& placement, Router& router, Offers& offers)
      : state_(state),
        outbox_(outbox),
        placement_(placement),
        router_(router),
        offers_(offers),
        departure_(state, settlement, placement, offers) {}

  /// HELLO, whole or in parts. Answers WELCOME, or RESET with what is wrong.
  void on_hello(PeerHandle peer, const wire::EnvelopeView& envelope);
  void on_goodbye(Session& session, const wire::EnvelopeView& envelope);
  void on_drain(Session& session);
  /// The connection is gone.
  void on_peer_gone(PeerHandle peer);

  /// Gives the worker no new activations and asks it to put away those that it has, until its process ends.
  void drain(Session& session);

  /// Has a worker drop an activation at once.
  void evict(Session& session, std::string_view id, Epoch epoch);

  /// Ends the sessions that were doomed meanwhile.
  void end_doomed();
  /// Ends silent sessions, forgets types and half HELLOs that nobody came back for, ends the recovery.
  void sweep();
  /// After a pause of the broker itself: nobody is blamed for its length.
  void forgive(Duration pause);
  void begin_shutdown();

 private:
  /// A HELLO whose last part has not come.
  struct Joining {
    wire::Hello hello;
    std::size_t bytes = 0;
    TimePoint started;
  };
  void drop_joining(PeerHandle peer);
  void refuse(PeerHandle peer, std::string reason);
  void refuse_for_number(PeerHandle peer, const std::string& name);
  void open(PeerHandle peer, wire::Hello hello);
  [[nodiscard]] bool has_room_for(const wire::Hello& hello);
  void welcome(Session& session);
  void announce(Session& session, const wire::LiveActivation& activation);
  void check_recovery();
  /// Lifts the fences for which `predicate(fence)` holds; what was held is appended to `orphans`.
  template <class Predicate>
  void lift_fences(Predicate predicate, std::vector<std::uint32_t>& orphans);
  void probe_workers();
  void ask_all_passivations(const Session& session);
  void end_drain(std::uint64_t incarnation, std::string_view worker, std::string_view reason);
  void forget_drains();

  void end(Session& session, const std::string& reason, Parting parting);
  /// Cleans up; what can still be delivered is appended to `orphans` in order, for Placement::reroute.
  void dissolve(Session& session, const std::string& reason, Parting parting, std::vector<std::uint32_t>& orphans);

  State& state_;
  Outbox& outbox_;
  Placement& placement_;
  Router& router_;
  Offers& offers_;
  Departure departure_;
  NumberMap<Joining> joining_;
  std::size_t joining_bytes_ = 0;
  bool is_full_ = false;  ///< somebody was refused for the number of sessions, and none has ended since
};

}  // namespace parley::broker
