// One process of the simulation, for one life: a PeerLink as its I/O thread, and as its loop thread a host that runs
// scripted handlers on the runtime's own TurnScheduler and RequestTable. Every machine also makes requests, sends and
// events of its own; those without agent types are clients.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "libmsg/core/random.hpp"
#include "libmsg/link/peer_link.hpp"
#include "libmsg/runtime/request_table.hpp"
#include "libmsg/runtime/turn_scheduler.hpp"
#include "tests/sim/broker_process.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/scenario.hpp"

namespace parley::sim {

class Machine {
 public:
  Machine(World& world, std::size_t number);

  [[nodiscard]] const std::string& name() const { return plan_.name; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] const ConnectionPtr& connection() const { return connection_; }
  [[nodiscard]] std::size_t activation_count() const { return scheduler_.activation_count(); }
  /// Empty when there is none.
  [[nodiscard]] std::string any_agent() const;

  /// Runs now, or when a pause ends.
  void run(Action action);
  void on_frame(const ConnectionPtr& connection, const FrameBytes& frame);
  void on_disconnected();

  /// Killed: its open calls are owed no outcome.
  void die();
  void pause(Duration lasting);
  void resume();
  /// Ends in good order, and starts anew `lasting` later.
  void drain(Duration lasting);
  /// True when it has a session, a lease and work for this id, or a newer activation of it than `other`.
  [[nodiscard]] bool is_working(const std::string& id, Epoch other);
  /// None holds more than its type allows.
  void check_mailboxes() const;
  /// After everything: no call without an outcome, no message or turn left.
  void check_end();

 private:
  enum class CallKind : std::uint8_t { request, one_way, subscribe, unsubscribe, registry };
  struct Call {
    CallKind kind = CallKind::request;
    std::uint64_t uid = 0;
    SessionToken session;  ///< in which it was made
    TimePoint made;
    std::uint32_t next_part = 0;
    bool may_expire_unsent = false;
    std::uint64_t waiting_turn = 0;  ///< the turn that made it, 0 for none
    std::size_t subscription = 0;    ///< index in subscriptions_

    /// A change of the registry: settled by the next HELLO when its session ends.
    [[nodiscard]] bool is_control() const { return kind != CallKind::request && kind != CallKind::one_way; }
  };
  struct Message {
    DeliveryId delivery;
    SessionToken session;
    wire::Kind kind{};
    Body body;
    std::string chain;
    TimePoint until;
    bool is_cancelled = false;
  };
  /// Its registration, by index in hosted_.
  struct Hosted {
    std::uint16_t type = 0;
  };
  using Scheduler = TurnScheduler<Message, Hosted>;
  using Activation = Scheduler::Activation;
  struct Turn {
    Activation* activation = nullptr;
    Message message;
    std::uint32_t parts_left = 0;
    std::uint32_t parts_sent = 0;
  };
  /// One registration of an agent type; a later one of the same type has another index.
  struct Registration {
    HostedType type;
    bool is_registered = true;
  };
  struct Subscription {
    wire::SubscriptionBody body;
    std::size_t record = 0;  ///< in the checker
    bool is_leaving = false;
  };
  struct Item {
    std::variant<FrameBytes, link::LinkEvent> what;
    SessionToken session;
  };

  // The I/O thread.
  void pump();
  void take_link_events();
  void check_frame(Bytes frame);
  void check_sent(Bytes frame);
  void arm_wakeup();

  // The loop thread: what comes in.
  void work();
  void handle(const Item& item);
  void on_event(const link::SessionReady& ready);
  void on_event(const link::SessionLost& lost);
  void on_event(const link::SessionRefused& refused);
  void on_event(const link::DrainRequested& request);
  void on_envelope(const wire::EnvelopeView& envelope, SessionToken session);
  void on_answer(const wire::EnvelopeView& envelope);
  void on_accepted(Bytes pairs);
  void on_delivery(const wire::EnvelopeView& envelope, SessionToken session);
  void on_cancel(DeliveryId delivery);
  void on_activate(const wire::EnvelopeView& envelope);
  void on_evict(std::string_view id);
  void drop_unregistered();
  void end_control(const Call& call, bool is_ok);
  void end_call(const Call& call, std::string_view outcome);
  void expire_calls();

  // Turns.
  [[nodiscard]] bool may_start() const;
  void refresh_lease();
  void start_turn(Activation& activation, Message message);
  void step_turn(std::uint64_t serial);
  void end_turn(std::uint64_t serial, ErrorCode code);
  void answer(const Message& message, wire::Kind kind, ErrorCode code, std::uint32_t part = 0);
  void leave_if_possible(Activation& activation);
  void finish_leaving(const std::string& id);
  void passivate_idle();

  // What goes out.
  void make_load();
  void make_message(const std::string& source, const std::string& chain, std::uint32_t depth, std::uint64_t turn,
                    Duration longest);
  void change_types();
  void register_type(HostedType type);
  void unregister_type(Registration& registration);
  /// Agents of these may be named as a sender.
  [[nodiscard]] std::vector<std::string> registered_types() const;
  void ask_control(wire::Kind kind, const Call& call, const ByteBuffer& body);
  void make_subscription();
  void drop_subscription();
  void cancel(MessageId id);
  std::string pick_target(wire::Kind kind, std::string_view source);
  std::uint32_t stream(const std::string& source);
  void write(const wire::EnvelopeFields& fields);
  void submit();
  void finish_drain();

  World& world_;
  std::size_t number_;
  const MachinePlan& plan_;
  std::uint64_t life_;
  SeededRandom random_;
  link::PeerLink link_;
  ConnectionPtr connection_;
  bool is_paused_ = false;
  bool is_draining_ = false;
  bool is_finished_ = false;
  Duration restart_after_{};
  std::deque<Action> backlog_;
  TimePoint wake_at_ = TimePoint::max();
  TimePoint calm_since_;

  std::deque<Item> inbox_;
  bool is_work_due_ = false;
  SessionToken session_;
  TimePoint session_since_;
  std::uint64_t broker_run_ = 0;
  RequestTable<Call> calls_;
  std::unordered_set<std::uint64_t> finals_;  ///< message ids that the broker has answered for good
  Scheduler scheduler_;
  std::unordered_map<std::uint64_t, Turn> turns_;
  std::uint64_t last_turn_ = 0;
  std::uint32_t last_sequence_ = 0;
  std::unordered_map<std::string, std::uint32_t> streams_;
  SessionToken streams_session_;
  std::vector<Registration> hosted_;  ///< of this life, by index
  std::vector<Subscription> subscriptions_;
  std::uint64_t last_subscription_ = 0;
  ByteBuffer out_;
  ByteBuffer done_;
  std::uint64_t bursts_left_ = 0;

  // What a strict peer checks of its broker.
  std::uint64_t data_received_ = 0;
  std::uint64_t credit_reported_ = 0;
};

}  // namespace parley::sim
