// A machine's loop thread: what comes in.
#include <algorithm>
#include <cstring>

#include "libmsg/wire/bundle.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/machine_parts.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

using wire::EnvelopeView;
using wire::Kind;

std::string outcome_name(ErrorCode code) { return code == ErrorCode{} ? "ok" : to_string(code); }

}  // namespace

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
  const Entry entry = chain_contains(message.chain, id) ? Entry::own_chain : Entry::ordinary;
  switch (scheduler_.admit(*activation, message, entry, world_.now(), started)) {
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

void Machine::check_mailboxes() const {
  scheduler_.for_each([this](const Activation& activation) {
    if (activation.mailbox.size() <= plan_.max_mailbox) return;
    world_.checker().fail(
        fmt::format("{} messages wait for {} at {}", activation.mailbox.size(), activation.id, name()));
  });
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

}  // namespace parley::sim
