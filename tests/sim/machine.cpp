#include "tests/sim/machine.hpp"

#include <algorithm>

#include "libmsg/wire/bundle.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

using wire::EnvelopeView;
using wire::Kind;

bool is_control_queue(Kind kind) {
  return kind == Kind::welcome || kind == Kind::reset || kind == Kind::heartbeat_ack || kind == Kind::accepted ||
         kind == Kind::goodbye || kind == Kind::drain;
}

}  // namespace

Machine::Machine(World& world, std::size_t number)
    : world_(world),
      number_(number),
      plan_(world.scenario().machines[number]),
      life_(world.next_life()),
      random_(world.random().next()),
      link_({.name = plan_.name, .incarnation = life_, .credit_bytes = plan_.credit_bytes}, random_),
      calm_since_(world.now()),
      bursts_left_(plan_.bursts) {
  for (const HostedType& type : plan_.types) {
    hosted_.push_back({type, true});
    link_.add_type({type.name, type.index, type.capabilities, type.capacity});
  }
  world_.log("{} starts, life {}", name(), life_);
  world_.at_machine(number_, life_, world_.now(), [this] { pump(); });
  world_.at_machine(number_, life_, world_.now() + world_.between(Duration::zero(), milliseconds(100)),
                    [this] { make_load(); });
}

void Machine::run(Action action) {
  if (is_paused_) {
    backlog_.push_back(std::move(action));
  } else {
    action();
  }
}

void Machine::pause(Duration lasting) {
  if (is_paused_) return;
  world_.log("{} pauses for {} ms", name(), lasting / milliseconds(1));
  is_paused_ = true;
  // Past the machine's own backlog: the end of a pause is the world's doing.
  world_.schedule().after(lasting, [&world = world_, number = number_, life = life_] { world.resume(number, life); });
}

void Machine::resume() {
  world_.log("{} goes on", name());
  is_paused_ = false;
  calm_since_ = world_.now();
  while (!backlog_.empty() && !is_paused_) {
    Action action = std::move(backlog_.front());
    backlog_.pop_front();
    action();
  }
}

void Machine::die() {
  while (true) {
    auto ended = calls_.take_if([](MessageId, const Call&) { return true; });
    if (ended.empty()) break;
    for (const auto& [id, call] : ended) {
      if (call.kind == CallKind::request || call.kind == CallKind::one_way) world_.checker().caller_died(call.uid);
    }
  }
}

void Machine::drain(Duration lasting) {
  if (is_draining_ || is_paused_) return;
  world_.log("{} drains", name());
  is_draining_ = true;
  restart_after_ = lasting;
  wire::EnvelopeFields fields;
  fields.kind = Kind::drain;
  write(fields);
  std::vector<std::string> ids;
  scheduler_.for_each([&](Activation& activation) {
    if (scheduler_.begin_passivation(activation)) {
      fields.kind = Kind::passivate;
      fields.delivery_id = activation.epoch.value();
      fields.target = activation.id;
      write(fields);
    }
  });
  world_.at_machine(number_, life_, world_.now() + milliseconds(300), [this] { finish_drain(); });
  pump();
}

void Machine::finish_drain() {
  world_.log("{} says goodbye", name());
  submit();
  link_.say_goodbye("stopping", world_.now());
  is_finished_ = true;
  die();
  pump();
  if (!is_paused_) world_.retire(number_, restart_after_);
}

bool Machine::is_working(const std::string& id, Epoch other) {
  const Activation* const activation = scheduler_.find(id);
  if (activation == nullptr || is_finished_ || !may_start()) return false;
  if (activation->epoch > other) return true;
  // An older one may only wait for its EVICT. It has nothing to do then that came in this session.
  const auto is_current = [this](const Message& message) { return message.session == session_; };
  return std::ranges::any_of(activation->mailbox, is_current) || std::ranges::any_of(turns_, [&](const auto& entry) {
           return entry.second.activation == activation && is_current(entry.second.message);
         });
}

std::string Machine::any_agent() const {
  std::string first;
  scheduler_.for_each([&first](const Activation& activation) {
    if (first.empty() || activation.id < first) first = activation.id;
  });
  return first;
}

void Machine::check_end() {
  Checker& checker = world_.checker();
  // [P-OPR-4]
  if (world_.broker().is_drained(life_) && activation_count() != 0)
    checker.fail(name() + " was told to drain and still has " + std::to_string(activation_count()) + " agents");
  if (!calls_.is_empty())
    checker.fail(name() + " still has " + std::to_string(calls_.size()) + " calls under way at the end");
  if (scheduler_.waiting() != 0) checker.fail(name() + " has messages in its mailboxes at the end");
  if (!turns_.empty()) checker.fail(name() + " has turns running at the end");
  if (!link_.is_ready()) checker.fail(name() + " has no session at the end");
}

// ---- the I/O thread

void Machine::pump() {
  take_link_events();
  refresh_lease();
  submit();
  while (link_.take_reopen(world_.now())) {
    world_.close(connection_);
    connection_ = world_.open(number_, life_);
    data_received_ = credit_reported_ = 0;
    link_.on_opened(world_.now());
  }
  while (auto frame = link_.next_frame(world_.now())) {
    if (world_.one_in(50)) {  // the transport is full for a moment
      link_.give_back(std::move(*frame));
      world_.at_machine(number_, life_, world_.now() + milliseconds(1), [this] { pump(); });
      break;
    }
    check_sent(frame->bytes());
    if (connection_) world_.send_to_broker(connection_, {frame->bytes().begin(), frame->bytes().end()});
  }
  take_link_events();
  arm_wakeup();
}

void Machine::take_link_events() {
  while (auto event = link_.take_event()) inbox_.push_back({std::move(*event), link_.session()});
  if (inbox_.empty() || is_work_due_ || is_finished_) return;
  is_work_due_ = true;
  world_.at_machine(number_, life_, world_.now() + plan_.inbox_delay, [this] { work(); });
}

void Machine::on_frame(const ConnectionPtr& connection, const FrameBytes& frame) {
  if (connection != connection_ || is_finished_) return;
  check_frame(frame);
  const SessionToken session = link_.session();
  const bool is_for_host = link_.on_frame(frame, world_.now());
  take_link_events();
  if (is_for_host) {
    inbox_.push_back({frame, session});
    if (plan_.inbox_delay == Duration::zero()) return work();
  }
  pump();
}

void Machine::on_disconnected() {
  calm_since_ = world_.now();
  link_.on_disconnected(world_.now());
  pump();
}

void Machine::arm_wakeup() {
  const TimePoint next = std::min({link_.next_wakeup(), calls_.next_deadline(), scheduler_.next_idle()});
  if (next == TimePoint::max() || (wake_at_ <= next && wake_at_ > world_.now())) return;
  wake_at_ = next;
  world_.at_machine(number_, life_, next, [this, next] {
    if (wake_at_ != next) return;
    wake_at_ = TimePoint::max();
    if (is_finished_) return;
    link_.on_tick(world_.now());
    expire_calls();
    passivate_idle();
    pump();
  });
}

// [P-BND-7] [P-CRD-1] [P-PEER-2]
void Machine::check_frame(Bytes frame) {
  Checker& checker = world_.checker();
  auto bundle = wire::BundleReader::open(frame);
  if (!bundle) return checker.fail(name() + " got a frame that is no bundle");
  std::size_t control = 0;
  std::size_t data = 0;
  while (const auto envelope = bundle->next()) (is_control_queue(envelope->kind()) ? control : data)++;
  if (bundle->error()) return checker.fail(name() + " got a malformed bundle");
  if (control != 0 && data != 0) checker.fail(name() + " got control and data in one bundle");
  if (data == 0) return;
  data_received_ += frame.size();
  const std::uint64_t outstanding = data_received_ - credit_reported_;
  if (outstanding > plan_.credit_bytes && outstanding > frame.size()) {
    checker.fail(name() + " has " + std::to_string(outstanding) + " bytes outstanding with a credit of " +
                 std::to_string(plan_.credit_bytes));
  }
}

// [P-PEER-1] [P-MID-1]
void Machine::check_sent(Bytes frame) {
  auto bundle = wire::BundleReader::open(frame);
  if (!bundle) return world_.checker().fail(name() + " sends a frame that is no bundle");
  while (const auto envelope = bundle->next()) {
    if (bundle->token().is_zero() != (envelope->kind() == Kind::hello)) {
      world_.checker().fail(name() + " sends " + std::string(wire::to_string(envelope->kind())) + " outside a session");
    }
    if (envelope->kind() == Kind::credit) credit_reported_ = envelope->message_id().value();
  }
  if (bundle->error()) world_.checker().fail(name() + " sends a malformed bundle");
}

}  // namespace parley::sim
