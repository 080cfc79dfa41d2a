// A machine's turns: scripted handlers.
#include <algorithm>

#include "tests/sim/machine.hpp"
#include "tests/sim/machine_parts.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

using wire::Kind;

constexpr std::uint32_t kMaxDepth = 3;

}  // namespace

/// The lease holds, and it is the one of the session that the loop knows. [P-HB-4]
bool Machine::may_start() const {
  return world_.now() < link_.lease_until() && (session_.is_zero() || session_ == link_.session());
}

void Machine::refresh_lease() {
  scheduler_.hold(!may_start());
  while (auto next = scheduler_.take_ready()) start_turn(*next->activation, std::move(next->message));
}

void Machine::start_turn(Activation& activation, Message message) {
  world_.log("{} starts #{} on {} epoch {:x}", name(), message.body.uid, activation.id, activation.epoch.value());
  // [P-ACT-5]
  if (world_.now() >= link_.lease_until()) world_.checker().fail(name() + " starts a turn without a lease");
  // [P-ACT-6]
  const bool is_nested = activation.running > 1;
  if (is_nested && !(activation.rules.is_reentrant && chain_contains(message.chain, activation.id)))
    world_.checker().fail(name() + " starts a second turn on " + activation.id);
  const Checker::Starter before =
      world_.checker().started(message.body, activation.id, {number_, life_, activation.epoch},
                               is_nested ? Checker::Turn::nested : Checker::Turn::first);
  if (before.life != life_) world_.check_single(before, activation.id, activation.epoch, name());
  const std::uint64_t serial = ++last_turn_;
  Turn& turn = turns_[serial];
  turn.activation = &activation;
  turn.message = std::move(message);
  Duration takes = microseconds(random_.below(3000));
  switch (static_cast<Plan>(turn.message.body.plan)) {
    case Plan::slow:
      takes = milliseconds(random_.below(80));
      break;
    case Plan::endless:
      takes = milliseconds(random_.below(2000));
      break;
    case Plan::stream:
      turn.parts_left = 1 + static_cast<std::uint32_t>(random_.below(5));
      break;
    default:
      break;
  }
  world_.at_machine(number_, life_, world_.now() + takes, [this, serial] {
    step_turn(serial);
    pump();
  });
}

void Machine::step_turn(std::uint64_t serial) {
  const auto it = turns_.find(serial);
  if (it == turns_.end()) return;
  Turn& turn = it->second;
  const Body& body = turn.message.body;
  if (turn.message.is_cancelled) return end_turn(serial, ErrorCode::cancelled);
  if (turn.parts_left > 0 && turn.message.kind == Kind::request) {
    turn.parts_left--;
    answer(turn.message, Kind::part, ErrorCode{}, turn.parts_sent++);
    world_.at_machine(number_, life_, world_.now() + milliseconds(random_.below(8)), [this, serial] {
      step_turn(serial);
      pump();
    });
    return;
  }
  const auto plan = static_cast<Plan>(body.plan);
  if (plan == Plan::fail) return end_turn(serial, ErrorCode::handler_failed);
  const bool may_talk = body.depth < kMaxDepth && !is_draining_ && world_.is_loading();
  if (!may_talk || (plan != Plan::nested && plan != Plan::talkative)) return end_turn(serial, ErrorCode{});
  const std::string& self = turn.activation->id;
  const std::string chain = turn.message.chain.empty() ? self : turn.message.chain + "\n" + self;
  const Duration left = std::max<Duration>(turn.message.until - world_.now(), milliseconds(1));
  make_message(self, chain, body.depth + 1, plan == Plan::nested ? serial : 0, left);
  if (plan == Plan::talkative) end_turn(serial, ErrorCode{});
}

void Machine::end_turn(std::uint64_t serial, ErrorCode code) {
  const auto it = turns_.find(serial);
  const Turn turn = std::move(it->second);
  turns_.erase(it);
  Activation& activation = *turn.activation;
  const bool is_silent = code == ErrorCode::cancelled && random_.below(2) == 0;  // [P-REQ-5]
  if (!is_silent) answer(turn.message, code == ErrorCode{} ? Kind::reply : Kind::error, code, turn.parts_sent);
  if (code == ErrorCode{}) world_.checker().handled(turn.message.body.uid);
  const bool was_gone = activation.phase == Scheduler::Phase::gone;
  scheduler_.hold(!may_start());
  if (auto next = scheduler_.finish(activation, world_.now())) {
    start_turn(activation, std::move(*next));
  } else if (!was_gone) {
    leave_if_possible(activation);
  }
}

void Machine::answer(const Message& message, Kind kind, ErrorCode code, std::uint32_t part) {
  if (message.session != session_) {
    // Its session is over. Half of the machines leave it to their link to know that. [P-PEER-5]
    if (number_ % 2 == 0) return;
  }
  const bool is_request = message.kind == Kind::request;
  if (!is_request && kind == Kind::part) return;
  if (!is_request && kind == Kind::reply) {
    if (message.session != session_) return;
    wire::store(done_.grow(8), message.delivery.value());
    return;
  }
  Body body = message.body;
  body.sequence = part;
  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.delivery_id = message.delivery.value();
  fields.code = code;
  fields.payload = std::as_bytes(std::span(&body, 1));
  if (message.session == session_) return write(fields);
  ByteBuffer stale;
  (void)wire::append_envelope(stale, fields);
  (void)link_.submit(stale.bytes(), world_.now(), message.session);
}

void Machine::leave_if_possible(Activation& activation) {
  if (!Scheduler::may_leave(activation)) return;
  scheduler_.occupy(activation);
  world_.at_machine(number_, life_, world_.now() + microseconds(random_.below(2000)), [this, id = activation.id] {
    finish_leaving(id);
    pump();
  });
}

void Machine::finish_leaving(const std::string& id) {
  Activation* const activation = scheduler_.find(id);
  if (activation == nullptr) return;
  scheduler_.hold(!may_start());
  if (activation->phase == Scheduler::Phase::leaving) {
    wire::EnvelopeFields fields;
    fields.kind = Kind::deactivated;
    fields.delivery_id = activation->epoch.value();
    fields.target = id;
    write(fields);
    (void)scheduler_.remove(*activation);
    (void)scheduler_.finish(*activation, world_.now());
  } else if (auto next = scheduler_.finish(*activation, world_.now())) {
    start_turn(*activation, std::move(*next));
  }
}

void Machine::passivate_idle() {
  while (Activation* activation = scheduler_.take_idle(world_.now())) {
    wire::EnvelopeFields fields;
    fields.kind = Kind::passivate;
    fields.delivery_id = activation->epoch.value();
    fields.target = activation->id;
    write(fields);
  }
}

}  // namespace parley::sim
