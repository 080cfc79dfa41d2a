#include "tests/sim/machine.hpp"

#include <algorithm>
#include <cstring>

#include "libmsg/wire/bundle.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

using wire::EnvelopeView;
using wire::Kind;

/// How long after its deadline a request may be answered: two crossings of the network and the broker's timer.
constexpr Duration kSlack = milliseconds(400);
constexpr std::uint32_t kMaxDepth = 3;

enum class Plan : std::uint32_t { quick, slow, fail, stream, nested, endless, talkative };

bool is_control_queue(Kind kind) {
  return kind == Kind::welcome || kind == Kind::reset || kind == Kind::heartbeat_ack || kind == Kind::accepted ||
         kind == Kind::goodbye || kind == Kind::drain;
}

bool chain_contains(std::string_view chain, std::string_view id) {
  while (!chain.empty()) {
    const std::size_t end = std::min(chain.find('\n'), chain.size());
    if (chain.substr(0, end) == id) return true;
    chain.remove_prefix(std::min(end + 1, chain.size()));
  }
  return false;
}

std::string outcome_name(ErrorCode code) { return code == ErrorCode{} ? "ok" : to_string(code); }

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

// ---- the loop thread: what comes in

void Machine::work() {
  is_work_due_ = false;
  while (!inbox_.empty() && !is_finished_) {
    const Item item = std::move(inbox_.front());
    inbox_.pop_front();
    handle(item);
  }
  pump();
}

void Machine::handle(const Item& item) {
  if (const auto* event = std::get_if<link::LinkEvent>(&item.what)) {
    return std::visit([this](const auto& what) { on_event(what); }, *event);
  }
  const auto& frame = std::get<FrameBytes>(item.what);
  auto bundle = wire::BundleReader::open(frame);
  while (const auto envelope = bundle->next()) on_envelope(*envelope, bundle->token());
  link_.consumed(link::credit_cost(frame), bundle->token());
}

void Machine::on_event(const link::SessionReady& ready) {
  session_ = SessionToken(ready.welcome.token);
  session_since_ = world_.now();
  broker_run_ = ready.welcome.shard_epoch;
  world_.log("{} has a session with run {}", name(), broker_run_);
}

// [P-PEER-4] [P-PEER-5]
void Machine::on_event(const link::SessionLost& lost) {
  world_.log("{} lost its session: {}", name(), lost.reason);
  const SessionToken old = session_;
  session_ = SessionToken();
  calm_since_ = world_.now();
  for (const auto& [id, call] : calls_.take_sent(lost.last_sent)) {
    if (call.is_control()) continue;
    end_call(call, "broker_lost");
  }
  (void)scheduler_.drop_waiting([old](const Message& message) { return message.session == old; });
  scheduler_.forget_handshakes();
  drop_unregistered();
}

/// The next HELLO does not name their type, or names another registration of it. [P-BRK-9]
void Machine::drop_unregistered() {
  std::vector<Activation*> homeless;
  scheduler_.for_each([&](Activation& activation) {
    if (!hosted_[activation.body.type].is_registered) homeless.push_back(&activation);
  });
  for (Activation* const activation : homeless) {
    wire::EnvelopeFields fields;
    fields.kind = Kind::deactivated;
    fields.delivery_id = activation->epoch.value();
    fields.target = activation->id;
    write(fields);
    (void)scheduler_.remove(*activation);
  }
}

void Machine::on_event(const link::SessionRefused& refused) { world_.log("{} is refused: {}", name(), refused.reason); }

void Machine::on_event(const link::DrainRequested&) { world_.log("{} hears that the broker drains", name()); }

void Machine::on_envelope(const EnvelopeView& envelope, SessionToken session) {
  if (session != session_) return;  // of a session that ended meanwhile
  switch (envelope.kind()) {
    case Kind::reply:
    case Kind::error:
    case Kind::part:
      return on_answer(envelope);
    case Kind::accepted:
      return on_accepted(envelope.payload());
    case Kind::request:
    case Kind::send:
    case Kind::event:
      return on_delivery(envelope, session);
    case Kind::cancel:
      return on_cancel(envelope.delivery_id());
    case Kind::activate:
      return on_activate(envelope);
    case Kind::passivate:
      if (Activation* activation = scheduler_.find(envelope.target())) {
        if (scheduler_.grant_passivation(*activation, envelope.epoch())) leave_if_possible(*activation);
      }
      return;
    case Kind::evict:
      return on_evict(envelope.target());
    default:
      return;  // unknown, or taken back by the broker before it was sent [P-KND-1]
  }
}

void Machine::on_activate(const EnvelopeView& envelope) {
  const std::uint16_t index = envelope.recipient();
  if (index >= hosted_.size() || hosted_[index].type.name != split_id(envelope.target()).type) {
    return world_.checker().fail(name() + " got an ACTIVATE for another type's number");
  }
  TurnRules rules;
  rules.is_reentrant = hosted_[index].type.is_reentrant;
  rules.max_mailbox = plan_.max_mailbox;
  rules.idle_timeout = plan_.idle_timeout;
  scheduler_.activate(envelope.target(), envelope.epoch(), rules, world_.now()).body.type = index;
}

void Machine::on_answer(const EnvelopeView& envelope) {
  Checker& checker = world_.checker();
  const MessageId id = envelope.message_id();
  // [P-REQ-1] [P-CTR-1]
  const bool is_final = envelope.kind() != Kind::part;
  if (finals_.contains(id.value()))
    checker.fail(name() + " got a " + std::string(wire::to_string(envelope.kind())) + " for message " +
                 std::to_string(id.value()) + " after its final answer");
  if (is_final) finals_.insert(id.value());
  Call* const call = calls_.find(id);
  if (call == nullptr) return;  // timed out or cancelled here
  if (call->kind == CallKind::request && envelope.kind() != Kind::error) {
    Body body;
    if (envelope.payload().size() < sizeof body) return checker.fail(name() + " got an answer without a body");
    std::memcpy(&body, envelope.payload().data(), sizeof body);
    if (body.uid != call->uid) checker.fail(name() + " got the answer to another request");
    // [P-REQ-4]
    if (envelope.kind() == Kind::part && body.sequence != call->next_part++)
      checker.fail(name() + " got parts out of order");
    if (envelope.kind() == Kind::reply && body.sequence != call->next_part)
      checker.fail(name() + " missed a part of a reply");
  }
  if (!is_final) return;
  const Call ended = *calls_.take(id);
  if (ended.is_control()) {
    return end_control(ended, envelope.kind() == Kind::reply);
  }
  if (ended.kind == CallKind::one_way) checker.refused(ended.uid);
  end_call(ended, outcome_name(envelope.kind() == Kind::error ? envelope.code() : ErrorCode{}));
}

void Machine::on_accepted(Bytes pairs) {
  for (std::size_t at = 0; at + 12 <= pairs.size(); at += 12) {
    const MessageId id(wire::load<std::uint64_t>(pairs.data() + at));
    if (!finals_.insert(id.value()).second)
      world_.checker().fail(name() + " got ACCEPTED twice for " + std::to_string(id.value()));
    const auto call = calls_.take(id);
    if (!call) continue;
    world_.checker().accepted(call->uid, broker_run_, wire::load<std::uint32_t>(pairs.data() + at + 8),
                              !world_.broker().may_be_recovering());
  }
}

void Machine::on_delivery(const EnvelopeView& envelope, SessionToken session) {
  Checker& checker = world_.checker();
  Message message;
  message.delivery = envelope.delivery_id();
  message.session = session;
  message.kind = envelope.kind();
  if (envelope.payload().size() < sizeof message.body) return checker.fail(name() + " got a delivery without a body");
  std::memcpy(&message.body, envelope.payload().data(), sizeof message.body);
  message.chain = wire::find_attribute(envelope.attributes(), wire::attribute::kCallChain).value_or("");
  message.until = envelope.remaining_ms() == wire::kNoDeadline ? world_.now() + seconds(60)
                                                               : world_.now() + milliseconds(envelope.remaining_ms());
  if (envelope.recipient() >= hosted_.size()) return checker.fail(name() + " got a delivery for an unknown recipient");
  const HostedType* const type = &hosted_[envelope.recipient()].type;
  const SplitId target = split_id(envelope.target());
  const std::string key(target.key.empty() ? kDefaultKey : target.key);
  const std::string id = type->name + "/" + key;
  if (message.kind == Kind::event) checker.delivered_event(envelope.target(), type->name, message.body.uid);
  Activation* const activation = scheduler_.find(id);
  if (activation == nullptr) {  // [P-ACT-1]
    return checker.fail(name() + " got message #" + std::to_string(message.body.uid) + " for " + id +
                        ", which is not active here");
  }
  refresh_lease();
  std::optional<Message> started;
  switch (scheduler_.admit(*activation, message, chain_contains(message.chain, id), world_.now(), started)) {
    case Admission::start:
      return start_turn(*activation, std::move(*started));
    case Admission::queued:
      return;
    case Admission::overloaded:
      return answer(message, Kind::error, ErrorCode::overloaded);
    case Admission::deadlock:  // [P-ATT-4]
      return answer(message, Kind::error, ErrorCode::deadlock);
  }
}

void Machine::on_cancel(DeliveryId delivery) {
  (void)scheduler_.drop_waiting([delivery](const Message& message) { return message.delivery == delivery; });
  for (auto& [serial, turn] : turns_) {
    if (turn.message.delivery != delivery || turn.message.session != session_) continue;
    turn.message.is_cancelled = true;
    if (random_.below(3) == 0) continue;  // some handlers look only now and then
    world_.at_machine(number_, life_, world_.now() + microseconds(random_.below(500)), [this, ended = serial] {
      step_turn(ended);
      pump();
    });
  }
}

// [P-ACT-4]
void Machine::on_evict(std::string_view id) {
  Activation* const activation = scheduler_.find(id);
  if (activation == nullptr) return;
  world_.log("{} is told to drop {}", name(), id);
  const std::string evicted(id);
  const Epoch epoch = activation->epoch;
  for (const Message& message : scheduler_.remove(*activation)) answer(message, Kind::error, ErrorCode::worker_lost);
  wire::EnvelopeFields fields;
  fields.kind = Kind::deactivated;
  fields.delivery_id = epoch.value();
  fields.target = evicted;
  write(fields);
}

void Machine::end_control(const Call& call, bool is_ok) {
  if (call.kind != CallKind::unsubscribe || !is_ok) return;
  const auto it = std::ranges::find(subscriptions_, call.subscription, [](const Subscription& s) { return s.body.id; });
  if (it == subscriptions_.end()) return;
  world_.checker().unsubscribed(it->record);
  subscriptions_.erase(it);
}

void Machine::end_call(const Call& call, std::string_view outcome) {
  world_.checker().answered(call.uid, outcome);
  if (call.waiting_turn != 0 && turns_.contains(call.waiting_turn)) end_turn(call.waiting_turn, ErrorCode{});
}

void Machine::expire_calls() {
  while (const auto expired = calls_.take_expired(world_.now())) {
    const auto& [id, call] = *expired;
    if (call.is_control()) continue;
    // The broker owed an answer if nothing disturbed either side since the call was made. [P-REQ-1] [P-REQ-2]
    const TimePoint quiet = std::max({calm_since_, world_.calm_since(), session_since_});
    if (!call.session.is_zero() && call.session == session_ && call.made > quiet + milliseconds(500) &&
        link_.is_ready() && !connection_->is_cut && !call.may_expire_unsent) {
      world_.checker().fail(name() + " got no answer to #" + std::to_string(call.uid) + " in time");
    }
    cancel(id);
    end_call(call, "timeout here");
  }
}

// ---- turns

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

// ---- what goes out

void Machine::make_load() {
  if (!world_.is_loading() || is_draining_ || bursts_left_ == 0) return;
  bursts_left_--;
  const std::uint64_t count = 1 + random_.below(8);
  const std::vector<std::string> types = registered_types();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string source = types.empty() || random_.below(2) == 0
                                   ? std::string()
                                   : types[random_.below(types.size())] + "/k" + std::to_string(random_.below(2));
    make_message(source, {}, 0, 0, seconds(60));
  }
  if (plan_.changes_types && random_.below(3) == 0) change_types();
  if (!plan_.types.empty() && random_.below(4) == 0) {
    if (subscriptions_.size() < 3 && random_.below(3) != 0) {
      make_subscription();
    } else {
      drop_subscription();
    }
  }
  pump();
  const Duration gap = world_.scenario().load_time / static_cast<Duration::rep>(plan_.bursts + 1);
  world_.at_machine(number_, life_, world_.now() + world_.between(gap / 4, gap), [this] { make_load(); });
}

std::string Machine::pick_target(Kind kind, std::string_view source) {
  const Scenario& scenario = world_.scenario();
  const std::string key = "k" + std::to_string(random_.below(scenario.keys_per_type));
  if (kind == Kind::event) {
    // An agent does not hear itself; so that every recipient is owed its event, nobody tries. [P-RTE-5]
    const bool is_own_key = split_id(source).key == key;
    return "news" + std::to_string(random_.below(2)) + ".x/" + key + (is_own_key ? "x" : "");
  }
  const std::uint64_t dice = random_.below(20);
  if (dice == 0) return "nobody/" + key;
  if (dice == 1) return "@skill/" + key;
  return scenario.types[random_.below(scenario.types.size())] + "/" + key;
}

std::uint32_t Machine::stream(const std::string& source) {
  if (streams_session_ != session_) streams_.clear();
  streams_session_ = session_;
  const auto [it, is_new] = streams_.try_emplace(source, 0);
  if (is_new) it->second = world_.next_stream();
  return it->second;
}

void Machine::make_message(const std::string& source, const std::string& chain, std::uint32_t depth, std::uint64_t turn,
                           Duration longest) {
  const std::uint64_t dice = turn != 0 ? 0 : random_.below(10);
  const Kind kind = dice < 6 ? Kind::request : dice < 8 ? Kind::send : Kind::event;
  const bool goes_back = turn != 0 && random_.below(4) == 0;
  const std::string target = goes_back ? chain.substr(0, chain.find('\n')) : pick_target(kind, source);
  Body body;
  body.uid = world_.checker().created(kind, target);
  body.stream = stream(source);
  body.sequence = ++last_sequence_;
  const std::uint64_t plan = random_.below(64);
  body.plan = static_cast<std::uint32_t>(plan < 40   ? Plan::quick
                                         : plan < 45 ? Plan::slow
                                         : plan < 49 ? Plan::fail
                                         : plan < 53 ? Plan::stream
                                         : plan < 59 ? Plan::nested
                                         : plan < 63 ? Plan::talkative
                                                     : Plan::endless);
  body.depth = depth;
  Duration limit =
      random_.below(4) == 0 ? milliseconds(1 + random_.below(100)) : milliseconds(200 + random_.below(2800));
  limit = std::min(limit, longest);

  std::vector<std::byte> payload(
      sizeof body + (world_.scenario().max_padding == 0 ? 0 : random_.below(world_.scenario().max_padding)));
  std::memcpy(payload.data(), &body, sizeof body);
  ByteBuffer attributes;
  if (!chain.empty() && kind == Kind::request)
    (void)wire::append_attribute(attributes, wire::attribute::kCallChain, chain);
  const std::string type = "u" + std::to_string(body.uid);

  Call call;
  call.kind = kind == Kind::request ? CallKind::request : CallKind::one_way;
  call.uid = body.uid;
  call.session = session_;
  call.made = world_.now();
  call.waiting_turn = turn;
  call.may_expire_unsent = limit < milliseconds(10);
  const bool has_deadline = kind == Kind::request || random_.below(2) == 0;
  const MessageId id = calls_.add(call, world_.now() + (kind == Kind::request ? limit : Duration(seconds(4))) + kSlack);

  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = id.value();
  fields.remaining_ms = has_deadline ? static_cast<std::uint32_t>(limit / milliseconds(1)) : wire::kNoDeadline;
  fields.source = source;
  fields.target = target;
  fields.payload_type = type;
  fields.attributes = attributes.bytes();
  fields.payload = payload;
  world_.log("{} makes {} #{} (id {}) to {} with {} ms", name(), wire::to_string(kind), body.uid, id.value(), target,
             limit / milliseconds(1));
  write(fields);
  if (kind == Kind::request && turn == 0 && random_.below(12) == 0) {
    world_.at_machine(number_, life_, world_.now() + milliseconds(random_.below(200)), [this, id] {
      const auto cancelled = calls_.take(id);
      if (!cancelled) return;
      cancel(id);
      end_call(*cancelled, "cancelled here");
      pump();
    });
  }
}

// [P-REQ-3]
void Machine::cancel(MessageId id) {
  wire::EnvelopeFields fields;
  fields.kind = Kind::cancel;
  fields.message_id = id.value();
  write(fields);
}

std::vector<std::string> Machine::registered_types() const {
  std::vector<std::string> names;
  for (const Registration& registration : hosted_) {
    if (registration.is_registered) names.push_back(registration.type.name);
  }
  return names;
}

void Machine::change_types() {
  const HostedType& type = plan_.types[random_.below(plan_.types.size())];
  const auto it = std::ranges::find_if(hosted_, [&](const Registration& registration) {
    return registration.is_registered && registration.type.name == type.name;
  });
  if (it == hosted_.end()) {
    register_type(type);
  } else {
    unregister_type(*it);
  }
}

void Machine::register_type(HostedType type) {
  type.index = static_cast<std::uint16_t>(hosted_.size());
  world_.log("{} registers {}", name(), type.name);
  const wire::TypeRegistration body{type.name, type.index, type.capabilities, type.capacity};
  link_.add_type(body);
  hosted_.push_back({std::move(type), true});
  Call call;
  call.kind = CallKind::registry;
  ask_control(Kind::register_type, call, wire::encode_body(body));
}

void Machine::unregister_type(Registration& registration) {
  world_.log("{} unregisters {}", name(), registration.type.name);
  registration.is_registered = false;
  link_.remove_type(registration.type.name);
  Call call;
  call.kind = CallKind::registry;
  ask_control(Kind::unregister_type, call, wire::encode_body(wire::TypeName{registration.type.name}));
}

void Machine::ask_control(Kind kind, const Call& call, const ByteBuffer& body) {
  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = calls_.add(call, world_.now() + seconds(5)).value();
  fields.payload = body.bytes();
  write(fields);
}

void Machine::make_subscription() {
  Subscription subscription;
  subscription.body.id = ++last_subscription_;
  subscription.body.is_prefix = random_.below(2) == 0;
  subscription.body.topic = "news" + std::to_string(random_.below(2)) + (subscription.body.is_prefix ? "." : ".x");
  subscription.body.agent_type = plan_.types[random_.below(plan_.types.size())].name;
  subscription.record = world_.checker().subscribed(
      {subscription.body.topic, subscription.body.is_prefix, subscription.body.agent_type, TimePoint::max()});
  link_.add_subscription(subscription.body);
  Call call;
  call.kind = CallKind::subscribe;
  call.subscription = subscription.body.id;
  ask_control(Kind::subscribe, call, wire::encode_body(subscription.body));
  subscriptions_.push_back(std::move(subscription));
}

void Machine::drop_subscription() {
  const auto it = std::ranges::find(subscriptions_, false, &Subscription::is_leaving);
  if (it == subscriptions_.end()) return;
  it->is_leaving = true;
  link_.remove_subscription(it->body.id);
  Call call;
  call.kind = CallKind::unsubscribe;
  call.subscription = it->body.id;
  ask_control(Kind::unsubscribe, call, wire::encode_body(wire::SubscriptionId{it->body.id}));
}

void Machine::write(const wire::EnvelopeFields& fields) {
  if (!wire::append_envelope(out_, fields)) world_.checker().fail(name() + " cannot write an envelope");
}

void Machine::submit() {
  if (!done_.is_empty()) {
    wire::EnvelopeFields fields;
    fields.kind = Kind::done;
    fields.payload = done_.bytes();
    write(fields);
    done_.clear();
  }
  if (out_.is_empty()) return;
  const ByteBuffer batch = std::move(out_);
  out_ = ByteBuffer();
  if (link_.submit(batch.bytes(), world_.now(), session_)) return;
  if (!is_finished_) world_.checker().fail(name() + "'s link refuses a batch");
}

}  // namespace parley::sim
