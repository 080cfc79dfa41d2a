#include "broker/core/router.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace parley::broker {
namespace {

using wire::EnvelopeView;
using wire::Kind;

std::string in_quotes(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, kMaxAgentTypeBytes)) shown += c >= 0x20 && c <= 0x7E ? c : '?';
  return shown + "'";
}

std::string_view key_of(std::string_view target) {
  const std::size_t slash = target.find('/');
  return slash == std::string_view::npos ? kDefaultKey : target.substr(slash + 1);
}

Error overloaded(std::string text) { return {ErrorCode::overloaded, std::move(text)}; }

}  // namespace

std::string_view Router::compose(std::string_view type, std::string_view key) {
  id_.assign(type);
  id_ += '/';
  id_ += key;
  return id_;
}

void Router::trace(const EnvelopeView& envelope, const Session& peer) {
  if (envelope.is_traced()) [[unlikely]]
    state_.traces.add(envelope, peer.name, state_.wall_us());
}

void Router::trace_queued(const Queued& queued, const Session& peer, std::size_t bytes) {
  const auto flags = wire::load<std::uint8_t>(queued.bytes + wire::layout::kFlags);
  if ((flags & wire::kFlagTraced) == 0) [[likely]]
    return;
  if (const auto envelope = EnvelopeView::parse({queued.bytes, bytes})) trace(*envelope, peer);
}

// ---- what comes in

std::optional<Error> Router::take_message_id(Session& from, const EnvelopeView& envelope) {
  const std::uint64_t id = envelope.message_id().value();
  if (id <= from.last_message_id) [[unlikely]] {
    return Error(ErrorCode::invalid, "message id " + std::to_string(id) + " is not above " +
                                         std::to_string(from.last_message_id) + ", the last one of the session");
  }
  from.last_message_id = id;
  return std::nullopt;
}

Router::Failure Router::check(Session& from, const EnvelopeView& envelope) {
  if (auto failure = take_message_id(from, envelope)) [[unlikely]]
    return failure;
  if (state_.is_shutting_down) [[unlikely]]
    return Error(ErrorCode::shutting_down, "the broker is shutting down");
  const std::string_view source = envelope.source();
  if (source.empty()) return std::nullopt;
  const AgentType* type = state_.registry.find(split_id(source).type);
  if (type == nullptr || !from.types.contains(type->index)) {
    return Error(ErrorCode::unauthorized, "this session has not registered the agent type of " + in_quotes(source));
  }
  return std::nullopt;
}

Router::Limit Router::limit_of(const EnvelopeView& envelope) const {
  const std::uint32_t remaining = envelope.remaining_ms();
  const bool is_given = remaining != wire::kNoDeadline;
  std::chrono::milliseconds limit = state_.config.max_deadline;
  if (is_given) {
    limit = std::min(limit, std::chrono::milliseconds(remaining));
  } else if (envelope.kind() != Kind::request) {
    limit = state_.config.one_way_ttl;
  }
  return {state_.now + limit, is_given};
}

std::uint32_t Router::open(const EnvelopeView& envelope, Limit limit) {
  const std::uint32_t slot = state_.deliveries.add();
  Delivery& delivery = state_.deliveries[slot];
  delivery.kind = envelope.kind();
  delivery.message_id = envelope.message_id().value();
  delivery.deadline = limit.deadline;
  delivery.has_deadline = limit.is_given;
  state_.wheel.add(slot);
  return slot;
}

void Router::on_request(Session& from, const EnvelopeView& envelope) {
  state_.counters.requests++;
  trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return outbox_.error(from, id, *failure);
  if (from.requests.size() >= state_.config.max_inflight_per_session) [[unlikely]] {
    return outbox_.error(from, id, overloaded("too many requests of this session are under way"));
  }
  const std::uint32_t slot = open(envelope, limit_of(envelope));
  state_.deliveries[slot].origin = from.slot;
  from.requests.emplace(id, slot);
  const Failure failure =
      must_wait_for_recovery(from, envelope) ? hold_for_recovery(slot, from, envelope.bytes()) : route(slot, envelope);
  if (failure) [[unlikely]]
    fail(slot, *failure);
}

void Router::on_send(Session& from, const EnvelopeView& envelope) {
  state_.counters.sends++;
  trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return outbox_.error(from, id, *failure);
  const std::uint32_t slot = open(envelope, limit_of(envelope));
  const Failure failure =
      must_wait_for_recovery(from, envelope) ? hold_for_recovery(slot, from, envelope.bytes()) : route(slot, envelope);
  if (failure) [[unlikely]] {
    close(slot);
    return outbox_.error(from, id, *failure);
  }
  from.out.accept(id, 1);
  outbox_.mark(from);
}

void Router::on_event(Session& from, const EnvelopeView& envelope) {
  state_.counters.events++;
  trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return outbox_.error(from, id, *failure);
  const std::string_view topic = envelope.target();
  if (!is_valid_topic_type(split_id(topic).type) || !is_valid_agent_key(key_of(topic))) [[unlikely]] {
    return outbox_.error(from, id, {ErrorCode::invalid, in_quotes(topic) + " is not a topic"});
  }
  std::uint32_t recipients = 0;
  if (must_wait_for_recovery(from, envelope)) {
    const std::uint32_t slot = open(envelope, limit_of(envelope));
    if (const auto failure = hold_for_recovery(slot, from, envelope.bytes())) {
      close(slot);
      return outbox_.error(from, id, *failure);
    }
    recipients = static_cast<std::uint32_t>(state_.subscriptions.match(split_id(topic).type).size());
  } else {
    recipients = fan_out(envelope, limit_of(envelope));
  }
  from.out.accept(id, recipients);
  outbox_.mark(from);
}

std::uint32_t Router::fan_out(const EnvelopeView& event, Limit limit) {
  const SplitId topic = split_id(event.target());
  const std::string_view key = key_of(event.target());
  std::uint32_t recipients = 0;
  const auto names = state_.subscriptions.match(topic.type);
  for (const std::string* name : names) {
    if (event.source() == compose(*name, key)) continue;  // an agent does not hear itself
    recipients++;
    const std::uint32_t slot = open(event, limit);
    AgentType* const type = state_.registry.find(*name);
    const Failure failure = type != nullptr && type->is_known()
                                ? route_to_type(slot, *type, key, event.bytes())
                                : Failure(Error(ErrorCode::unknown_agent_type,
                                                "no agent type " + in_quotes(*name) + " to hear this topic"));
    if (failure) fail(slot, *failure, event.bytes());
  }
  if (names.empty()) bury(event, kNil, {ErrorCode::no_subscriber, "nobody has subscribed to this topic"});
  return recipients;
}

// ---- where it goes

bool Router::must_wait_for_recovery(const Session& from, const EnvelopeView& envelope) {
  if (!state_.is_recovering) [[likely]]
    return false;
  if (from.recovering > 0 || envelope.kind() == Kind::event) return true;
  const std::string_view target = envelope.target();
  if (target.starts_with('@')) return true;
  return state_.directory.find(target.contains('/') ? target : compose(target, kDefaultKey)) == kNil;
}

Router::Failure Router::hold_for_recovery(std::uint32_t slot, Session& from, Bytes envelope) {
  constexpr std::uint32_t kTypesWorth = 10;
  if (state_.recovering.count >= state_.config.max_parked_per_type * kTypesWorth ||
      state_.recovering.bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("the broker has just restarted and waits for its workers");
  }
  keep(slot, envelope);
  Delivery& delivery = state_.deliveries[slot];
  delivery.place = Place::recovering;
  delivery.origin = from.slot;
  from.recovering++;
  state_.deliveries.append(state_.recovering, slot);
  return std::nullopt;
}

Router::Failure Router::route(std::uint32_t slot, const EnvelopeView& envelope) {
  const std::string_view target = envelope.target();
  if (target.starts_with('@')) return route_to_capability(slot, envelope);
  const std::string_view id = target.contains('/') ? target : compose(target, kDefaultKey);
  const std::uint32_t activation = state_.directory.find(id);
  if (activation != kNil) [[likely]]
    return hand_over(slot, activation, envelope.bytes());
  const SplitId parts = split_id(id);
  if (!is_valid_agent_type(parts.type) || !is_valid_agent_key(parts.key)) {
    return Error(ErrorCode::invalid, in_quotes(target) + " is not an agent id");
  }
  AgentType* const type = state_.registry.find(parts.type);
  if (type == nullptr || !type->is_known()) {
    return Error(ErrorCode::unknown_agent_type,
                 "no agent type " + in_quotes(parts.type) + state_.registry.suggestion(parts.type));
  }
  return place(slot, *type, id, envelope.bytes());
}

Router::Failure Router::route_to_capability(std::uint32_t slot, const EnvelopeView& envelope) {
  const std::string_view capability = split_id(envelope.target().substr(1)).type;
  const std::string_view key = key_of(envelope.target());
  if (!is_valid_agent_type(capability) || !is_valid_agent_key(key)) {
    return Error(ErrorCode::invalid, in_quotes(envelope.target()) + " is not a capability");
  }
  AgentType* const type = state_.registry.find_capable(capability);
  if (type == nullptr) {
    return Error(ErrorCode::unknown_agent_type, "no agent type offers the capability " + in_quotes(capability));
  }
  return route_to_type(slot, *type, key, envelope.bytes());
}

Router::Failure Router::route_to_type(std::uint32_t slot, AgentType& type, std::string_view key, Bytes envelope) {
  const std::string_view id = compose(type.name, key);
  const std::uint32_t activation = state_.directory.find(id);
  return activation != kNil ? hand_over(slot, activation, envelope) : place(slot, type, id, envelope);
}

Router::Failure Router::place(std::uint32_t slot, AgentType& type, std::string_view id, Bytes envelope) {
  Hosting* const hosting = type.least_loaded();
  if (hosting == nullptr) {
    if (type.is_known()) return park(slot, type, envelope);
    return Error(ErrorCode::undeliverable, "agent type " + in_quotes(type.name) + " was unregistered");
  }
  Session& worker = state_.sessions[hosting->session];
  const Epoch epoch = state_.next_epoch();
  const std::uint32_t activation = activate(type, worker, id, epoch);
  state_.counters.activations_started++;
  wire::EnvelopeFields fields;
  fields.kind = Kind::activate;
  fields.delivery_id = epoch.value();
  fields.recipient = hosting->recipient;
  fields.target = id;
  outbox_.data(worker, fields);
  return hand_over(slot, activation, envelope);
}

std::uint32_t Router::activate(AgentType& type, Session& worker, std::string_view id, Epoch epoch) {
  Hosting& hosting = *type.hosting_of(worker.slot);
  const std::uint32_t slot = state_.directory.add(id, worker.activations);
  Activation& activation = state_.directory[slot];
  activation.worker = worker.slot;
  activation.recipient = hosting.recipient;
  activation.type = type.index;
  activation.epoch = epoch;
  hosting.activations++;
  return slot;
}

void Router::deactivate(std::uint32_t activation, std::vector<std::uint32_t>& orphans) {
  Activation& entry = state_.directory[activation];
  if (entry.held) {
    while (entry.held->head != kNil) {
      orphans.push_back(entry.held->head);
      detach(entry.held->head);
    }
    entry.held.reset();
  }
  if (Hosting* hosting = state_.registry.at(entry.type).hosting_of(entry.worker)) hosting->activations--;
  state_.directory.remove(activation, state_.sessions[entry.worker].activations);
}

Router::Failure Router::hand_over(std::uint32_t slot, std::uint32_t activation, Bytes envelope) {
  Activation& target = state_.directory[activation];
  Delivery& delivery = state_.deliveries[slot];
  set_type(delivery, target.type);
  if (target.is_passivating) [[unlikely]]
    return hold(slot, activation, envelope);
  Session& worker = state_.sessions[target.worker];
  const std::size_t bytes = delivery.is_request() ? envelope.size() : 2 * envelope.size();
  if (!outbox_.fits(worker, bytes) || worker.deliveries.count >= state_.config.max_inflight_per_session) [[unlikely]] {
    return overloaded("the queue of worker " + in_quotes(worker.name) + " is full");
  }
  const Queued queued = worker.out.data().append(envelope);
  wire::patch_delivery_id(queued.bytes, state_.deliveries.id_of(slot).value());
  wire::patch_recipient(queued.bytes, target.recipient);
  if (delivery.is_request() || delivery.has_deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(delivery.deadline - state_.now);
    wire::patch_remaining_ms(queued.bytes, static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0)));
  }
  if (!delivery.is_request()) keep(slot, envelope);
  delivery.place = Place::worker;
  delivery.worker = worker.slot;
  delivery.frame = queued.position.frame;
  delivery.offset = queued.position.offset;
  if (delivery.is_request() && !delivery.envelope.is_empty()) delivery.envelope.clear();
  state_.deliveries.append(worker.deliveries, slot);
  state_.counters.deliveries++;
  outbox_.mark(worker);
  trace_queued(queued, worker, envelope.size());
  return std::nullopt;
}

void Router::keep(std::uint32_t slot, Bytes envelope) {
  ByteBuffer& kept = state_.deliveries[slot].envelope;
  if (kept.data() == envelope.data()) return;
  kept.clear();
  kept.append(envelope);
}

Router::Failure Router::hold(std::uint32_t slot, std::uint32_t activation, Bytes envelope) {
  Activation& target = state_.directory[activation];
  AgentType& type = state_.registry.at(target.type);
  if (type.waiting >= state_.config.max_parked_per_type ||
      type.waiting_bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("too many messages wait for agents of type " + in_quotes(type.name));
  }
  keep(slot, envelope);
  type.waiting++;
  type.waiting_bytes += envelope.size();
  Delivery& delivery = state_.deliveries[slot];
  delivery.place = Place::held;
  delivery.activation = activation;
  if (!target.held) target.held = std::make_unique<DeliveryList>();
  state_.deliveries.append(*target.held, slot);
  return std::nullopt;
}

Router::Failure Router::park(std::uint32_t slot, AgentType& type, Bytes envelope) {
  set_type(state_.deliveries[slot], type.index);
  if (type.waiting >= state_.config.max_parked_per_type ||
      type.waiting_bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("agent type " + in_quotes(type.name) + " has no worker now and too many messages wait for one");
  }
  keep(slot, envelope);
  type.waiting++;
  type.waiting_bytes += envelope.size();
  state_.counters.parkings++;
  state_.deliveries[slot].place = Place::parked;
  state_.deliveries.append(type.parked, slot);
  return std::nullopt;
}

void Router::set_type(Delivery& delivery, std::uint32_t type) {
  if (delivery.type == type) return;
  delivery.type = type;
  AgentType& target = state_.registry.at(type);
  target.inflight++;
  if (delivery.is_request()) target.requests++;
}

void Router::reroute(std::uint32_t slot) {
  const ByteBuffer envelope = std::exchange(state_.deliveries[slot].envelope, {});
  const auto view = EnvelopeView::parse(envelope.bytes());
  const std::uint32_t type_index = state_.deliveries[slot].type;
  Failure failure;
  if (!view) {
    failure = view.error();
  } else if (type_index != kNil) {
    failure = route_to_type(slot, state_.registry.at(type_index), key_of(view->target()), envelope.bytes());
  } else {
    failure = route(slot, *view);
  }
  if (failure) fail(slot, *failure, envelope.bytes());
}

void Router::unpark(AgentType& type) {
  while (type.parked.head != kNil && type.least_loaded() != nullptr) {
    const std::uint32_t slot = type.parked.head;
    detach(slot);
    reroute(slot);
  }
}

void Router::end_recovery() {
  state_.is_recovering = false;
  while (state_.recovering.head != kNil) {
    const std::uint32_t slot = state_.recovering.head;
    detach(slot);
    Delivery& delivery = state_.deliveries[slot];
    if (delivery.kind != Kind::event) {
      reroute(slot);
      continue;
    }
    const ByteBuffer envelope = std::exchange(delivery.envelope, {});
    const Limit limit{delivery.deadline, delivery.has_deadline};
    close(slot);
    if (const auto event = EnvelopeView::parse(envelope.bytes())) fan_out(*event, limit);
  }
}

// ---- how it ends

void Router::detach(std::uint32_t slot) {
  Delivery& delivery = state_.deliveries[slot];
  const auto leave_type = [&] {
    AgentType& type = state_.registry.at(delivery.type);
    type.waiting--;
    type.waiting_bytes -= delivery.envelope.size();
  };
  switch (delivery.place) {
    case Place::worker:
      state_.deliveries.unlink(state_.sessions[delivery.worker].deliveries, slot);
      break;
    case Place::parked:
      state_.deliveries.unlink(state_.registry.at(delivery.type).parked, slot);
      leave_type();
      break;
    case Place::held:
      state_.deliveries.unlink(*state_.directory[delivery.activation].held, slot);
      leave_type();
      break;
    case Place::recovering:
      state_.deliveries.unlink(state_.recovering, slot);
      if (delivery.origin != kNil) state_.sessions[delivery.origin].recovering--;
      if (!delivery.is_request()) delivery.origin = kNil;
      break;
    case Place::free:
    case Place::routing:
      break;
  }
  delivery.place = Place::routing;
}

void Router::close(std::uint32_t slot) {
  detach(slot);
  state_.wheel.remove(slot);
  const Delivery& delivery = state_.deliveries[slot];
  if (delivery.is_request() && delivery.origin != kNil)
    state_.sessions[delivery.origin].requests.erase(delivery.message_id);
  if (delivery.type != kNil) state_.registry.at(delivery.type).inflight--;
  state_.deliveries.remove(slot);
}

void Router::fail(std::uint32_t slot, const Error& error, Bytes envelope) {
  const Delivery& delivery = state_.deliveries[slot];
  if (delivery.type != kNil) state_.registry.at(delivery.type).failures++;
  if (delivery.is_request()) {
    if (delivery.origin != kNil) outbox_.error(state_.sessions[delivery.origin], delivery.message_id, error);
  } else if (const auto view = EnvelopeView::parse(envelope)) {
    bury(*view, delivery.type, error);
  }
  close(slot);
}

void Router::bury(const EnvelopeView& envelope, std::uint32_t type, const Error& error) {
  std::string_view recipient;
  if (envelope.kind() == Kind::event && type != kNil) {
    recipient = compose(state_.registry.at(type).name, key_of(envelope.target()));
  }
  state_.dead_letters.add(envelope, recipient, error, state_.wall_now());
}

void Router::abandon(std::uint32_t slot) {
  take_back(slot);
  close(slot);
}

// An envelope that has not been sent is blanked where it lies (receivers skip unknown kinds); after a sent one goes
// CANCEL.
void Router::take_back(std::uint32_t slot) {
  const Delivery& delivery = state_.deliveries[slot];
  if (delivery.place != Place::worker) return;
  Session& worker = state_.sessions[delivery.worker];
  if (std::byte* unsent = worker.out.data().at({delivery.frame, delivery.offset})) {
    wire::store(unsent + wire::layout::kKind, std::uint8_t{0});
    return;
  }
  wire::EnvelopeFields fields;
  fields.kind = Kind::cancel;
  fields.delivery_id = state_.deliveries.id_of(slot).value();
  outbox_.data(worker, fields);
}

void Router::on_cancel(Session& from, const EnvelopeView& envelope) {
  const auto it = from.requests.find(envelope.message_id().value());
  if (it == from.requests.end()) return;  // it has just ended
  state_.counters.cancels++;
  const std::uint32_t slot = it->second;
  take_back(slot);
  fail(slot, {ErrorCode::cancelled, "cancelled by the caller"});
}

void Router::expire_due() {
  due_.clear();
  state_.wheel.take_due(state_.now, due_);
  for (const std::uint32_t slot : due_) expire(slot);
}

void Router::expire(std::uint32_t slot) {
  const Delivery& delivery = state_.deliveries[slot];
  if (!delivery.is_request() && delivery.place == Place::worker &&
      state_.sessions[delivery.worker].out.data().at({delivery.frame, delivery.offset}) == nullptr) {
    return;  // its worker has it: how long it takes is the worker's business
  }
  state_.counters.timeouts++;
  std::string reason;
  switch (delivery.place) {
    case Place::worker:
      reason = "no reply in time from worker " + in_quotes(state_.sessions[delivery.worker].name);
      break;
    case Place::parked:
      reason = "no worker for agent type " + in_quotes(state_.registry.at(delivery.type).name) + " came in time";
      break;
    default:
      reason = "the deadline passed while the message waited in the broker";
  }
  take_back(slot);
  fail(slot, {ErrorCode::timeout, std::move(reason)});
}

void Router::on_answer(Session& worker, const EnvelopeView& envelope) {
  trace(envelope, worker);
  const std::uint32_t slot = state_.deliveries.find(envelope.delivery_id());
  if (slot == kNil) [[unlikely]] {
    state_.counters.stale_replies++;
    return;
  }
  const Delivery& delivery = state_.deliveries[slot];
  if (delivery.place != Place::worker || delivery.worker != worker.slot) [[unlikely]] {
    state_.counters.stale_replies++;
    return;
  }
  if (!delivery.is_request()) [[unlikely]] {
    if (envelope.kind() != Kind::error) {
      state_.counters.invalid_frames++;
      return;
    }
    return fail(slot, {envelope.code(), std::string(as_text(envelope.payload()))});
  }
  const std::string_view source = envelope.source();
  if (!source.empty() && split_id(source).type != state_.registry.at(delivery.type).name) [[unlikely]] {
    return fail(slot, {ErrorCode::unauthorized, "the worker answered in the name of another agent type"});
  }
  if (envelope.kind() == Kind::part) {
    forward_part(slot, envelope);
  } else {
    forward_answer(slot, envelope);
  }
}

void Router::forward_answer(std::uint32_t slot, const EnvelopeView& envelope) {
  const Delivery& delivery = state_.deliveries[slot];
  Session& caller = state_.sessions[delivery.origin];
  if (!outbox_.fits(caller, envelope.length())) [[unlikely]] {
    return fail(slot, overloaded("the reply did not fit the queue of its caller"));
  }
  const Queued queued = caller.out.data().append(envelope.bytes());
  wire::patch_message_id(queued.bytes, delivery.message_id);
  outbox_.mark(caller);
  trace_queued(queued, caller, envelope.length());
  if (envelope.kind() == Kind::error) {
    state_.counters.errors++;
    state_.registry.at(delivery.type).failures++;
  } else {
    state_.counters.replies++;
  }
  close(slot);
}

void Router::forward_part(std::uint32_t slot, const EnvelopeView& envelope) {
  const Delivery& delivery = state_.deliveries[slot];
  Session& caller = state_.sessions[delivery.origin];
  state_.counters.parts++;
  if (!outbox_.fits(caller, envelope.length())) [[unlikely]] {
    take_back(slot);
    return fail(slot, overloaded("a part of the reply did not fit the queue of its caller"));
  }
  const Queued queued = caller.out.data().append(envelope.bytes());
  wire::patch_message_id(queued.bytes, delivery.message_id);
  outbox_.mark(caller);
  trace_queued(queued, caller, envelope.length());
}

void Router::on_done(Session& worker, const EnvelopeView& envelope) {
  const Bytes ids = envelope.payload();
  if (ids.size() % sizeof(std::uint64_t) != 0) {
    state_.counters.invalid_frames++;
    return;
  }
  for (std::size_t at = 0; at < ids.size(); at += sizeof(std::uint64_t)) {
    const std::uint32_t slot = state_.deliveries.find(DeliveryId(wire::load<std::uint64_t>(ids.data() + at)));
    if (slot == kNil || state_.deliveries[slot].place != Place::worker ||
        state_.deliveries[slot].worker != worker.slot || state_.deliveries[slot].is_request()) {
      state_.counters.stale_replies++;
      continue;
    }
    state_.counters.done++;
    close(slot);
  }
}

}  // namespace parley::broker
