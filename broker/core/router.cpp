#include "broker/core/router.hpp"

#include <algorithm>
#include <utility>

#include "broker/core/id_text.hpp"

namespace parley::broker {

using wire::EnvelopeView;
using wire::Kind;

namespace {

/// News of the system itself: that nobody follows it is no loss.
bool is_system_topic(std::string_view topic_type) { return topic_type.starts_with("sys."); }

}  // namespace

Failure Router::take_message_id(Session& from, const EnvelopeView& envelope) {
  const std::uint64_t id = envelope.message_id().value();
  if (id <= from.last_message_id) [[unlikely]] {
    return Error(ErrorCode::invalid, "message id " + std::to_string(id) + " is not above " +
                                         std::to_string(from.last_message_id) + ", the last one of the session");
  }
  from.last_message_id = id;
  return std::nullopt;
}

Failure Router::check(Session& from, const EnvelopeView& envelope) {
  if (auto failure = take_message_id(from, envelope)) [[unlikely]]
    return failure;
  if (state_.is_shutting_down) [[unlikely]]
    return Error(ErrorCode::shutting_down, "the broker is shutting down");
  const std::string_view source = envelope.source();
  if (source.empty()) return std::nullopt;
  const AgentType* type = state_.registry.find(split_id(source).type);
  const bool is_registered = type != nullptr && from.types.contains(type->index);
  if (!is_registered && !is_leaving(from, source)) [[unlikely]] {
    return Error(ErrorCode::unauthorized, "this session has not registered the agent type of " + in_quotes(source));
  }
  return std::nullopt;
}

/// An agent goes on speaking for itself while its worker, which has unregistered its type, puts it away.
bool Router::is_leaving(const Session& worker, std::string_view id) const {
  const std::uint32_t slot = state_.directory.find(id);
  return slot != kNil && state_.directory[slot].worker == worker.slot && state_.directory[slot].is_leaving;
}

Limit Router::limit_of(const EnvelopeView& envelope) const {
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

/// The message was never taken over.
void Router::refuse(Session& from, std::uint64_t id, const Error& error) {
  state_.counters.count_outcome(error.code);
  outbox_.error(from, id, error);
}

void Router::on_request(Session& from, const EnvelopeView& envelope) {
  state_.counters.requests++;
  outbox_.trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return refuse(from, id, *failure);
  if (from.requests.size() >= state_.config.max_inflight_per_session) [[unlikely]] {
    return refuse(from, id, overloaded("too many requests of this session are under way"));
  }
  const std::uint32_t slot = settlement_.open(envelope, limit_of(envelope));
  state_.deliveries[slot].origin = from.slot;
  from.requests.emplace(id, slot);
  const Failure failure = must_wait_for_recovery(from, envelope) ? hold_for_recovery(slot, from, envelope.bytes())
                                                                 : placement_.route(slot, envelope);
  if (failure) [[unlikely]]
    settlement_.fail(slot, *failure, envelope.bytes());
}

void Router::on_send(Session& from, const EnvelopeView& envelope) {
  state_.counters.sends++;
  outbox_.trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return refuse(from, id, *failure);
  const std::uint32_t slot = settlement_.open(envelope, limit_of(envelope));
  const Failure failure = must_wait_for_recovery(from, envelope) ? hold_for_recovery(slot, from, envelope.bytes())
                                                                 : placement_.route(slot, envelope);
  if (failure) [[unlikely]] {
    settlement_.close(slot);
    return refuse(from, id, *failure);
  }
  outbox_.accept(from, id, 1);
}

void Router::on_event(Session& from, const EnvelopeView& envelope) {
  state_.counters.events++;
  outbox_.trace(envelope, from);
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = check(from, envelope)) [[unlikely]]
    return refuse(from, id, *failure);
  const std::string_view topic = envelope.target();
  if (!is_valid_topic_type(split_id(topic).type) || !is_valid_agent_key(key_of(topic))) [[unlikely]] {
    return refuse(from, id, {ErrorCode::invalid, in_quotes(topic) + " is not a topic"});
  }
  std::uint32_t recipients = 0;
  if (must_wait_for_recovery(from, envelope)) {
    const std::uint32_t slot = settlement_.open(envelope, limit_of(envelope));
    if (const auto failure = hold_for_recovery(slot, from, envelope.bytes())) {
      settlement_.close(slot);
      return outbox_.error(from, id, *failure);
    }
    recipients = static_cast<std::uint32_t>(state_.subscriptions.match(split_id(topic).type).size());
  } else {
    recipients = fan_out(envelope, limit_of(envelope));
  }
  outbox_.accept(from, id, recipients);
}

std::uint32_t Router::fan_out(const EnvelopeView& event, Limit limit) {
  const SplitId topic = split_id(event.target());
  const std::string_view key = key_of(event.target());
  std::uint32_t recipients = 0;
  const auto names = state_.subscriptions.match(topic.type);
  for (const std::string* name : names) {
    if (event.source() == id_.compose(*name, key)) continue;  // an agent does not hear itself
    recipients++;
    const std::uint32_t slot = settlement_.open(event, limit);
    AgentType* const type = state_.registry.find(*name);
    const Failure failure = type != nullptr && type->is_known()
                                ? placement_.route_to_type(slot, *type, key, event.bytes())
                                : Failure(Error(ErrorCode::unknown_agent_type,
                                                "no agent type " + in_quotes(*name) + " to hear this topic"));
    if (failure) settlement_.fail(slot, *failure, event.bytes());
  }
  if (names.empty() && !is_system_topic(topic.type)) {
    settlement_.bury(event, kNil, {ErrorCode::no_subscriber, "nobody has subscribed to this topic"});
  }
  return recipients;
}

bool Router::must_wait_for_recovery(const Session& from, const EnvelopeView& envelope) {
  if (!state_.is_recovering) [[likely]]
    return false;
  if (from.recovering > 0 || envelope.kind() == Kind::event) return true;
  const std::string_view target = envelope.target();
  if (target.starts_with('@')) return true;
  return state_.directory.find(target.contains('/') ? target : id_.compose(target, kDefaultKey)) == kNil;
}

Failure Router::hold_for_recovery(std::uint32_t slot, Session& from, Bytes envelope) {
  constexpr std::uint32_t kTypesWorth = 10;
  if (state_.recovering.count >= state_.config.max_parked_per_type * kTypesWorth ||
      state_.recovering.bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("the broker has just restarted and waits for its workers");
  }
  settlement_.keep(slot, envelope);
  Delivery& delivery = state_.deliveries[slot];
  delivery.waiting_since = state_.now;
  delivery.place = Place::recovering;
  delivery.origin = from.slot;
  from.recovering++;
  state_.deliveries.append(state_.recovering, slot);
  return std::nullopt;
}

void Router::end_recovery() {
  state_.is_recovering = false;
  while (state_.recovering.head != kNil) {
    const std::uint32_t slot = state_.recovering.head;
    settlement_.detach(slot);
    Delivery& delivery = state_.deliveries[slot];
    if (delivery.kind != Kind::event) {
      placement_.reroute(slot);
      continue;
    }
    const ByteBuffer envelope = std::exchange(delivery.envelope, {});
    const Limit limit{delivery.deadline, delivery.has_deadline};
    settlement_.close(slot);
    if (const auto event = EnvelopeView::parse(envelope.bytes())) fan_out(*event, limit);
  }
}

void Router::on_cancel(Session& from, const EnvelopeView& envelope) {
  const auto it = from.requests.find(envelope.message_id().value());
  if (it == from.requests.end()) return;  // it has just ended
  state_.counters.cancels++;
  const std::uint32_t slot = it->second;
  settlement_.take_back(slot);
  settlement_.fail(slot, {ErrorCode::cancelled, "cancelled by the caller"});
}

void Router::on_answer(Session& worker, const EnvelopeView& envelope) {
  outbox_.trace(envelope, worker);
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
    return settlement_.fail(slot, {envelope.code(), std::string(as_text(envelope.payload()))});
  }
  const std::string_view source = envelope.source();
  if (!source.empty() && split_id(source).type != state_.registry.at(delivery.type).name) [[unlikely]] {
    return settlement_.fail(slot, {ErrorCode::unauthorized, "the worker answered in the name of another agent type"});
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
    return settlement_.fail(slot, overloaded("the reply did not fit the queue of its caller"));
  }
  const Queued queued = caller.out.data().append(envelope.bytes());
  wire::patch_message_id(queued.bytes, delivery.message_id);
  outbox_.mark(caller);
  outbox_.trace(queued, caller, envelope.length());
  if (envelope.kind() == Kind::error) {
    state_.counters.errors++;
    state_.counters.count_outcome(envelope.code());
    state_.registry.at(delivery.type).failures++;
  } else {
    state_.counters.replies++;
    state_.counters.count_success();
  }
  settlement_.close(slot);
}

void Router::forward_part(std::uint32_t slot, const EnvelopeView& envelope) {
  const Delivery& delivery = state_.deliveries[slot];
  Session& caller = state_.sessions[delivery.origin];
  state_.counters.parts++;
  if (!outbox_.fits(caller, envelope.length())) [[unlikely]] {
    settlement_.take_back(slot);
    return settlement_.fail(slot, overloaded("a part of the reply did not fit the queue of its caller"));
  }
  const Queued queued = caller.out.data().append(envelope.bytes());
  wire::patch_message_id(queued.bytes, delivery.message_id);
  outbox_.mark(caller);
  outbox_.trace(queued, caller, envelope.length());
}

void Router::on_done(Session& worker, const EnvelopeView& envelope) {
  const Bytes ids = envelope.payload();
  if (ids.size() % sizeof(std::uint64_t) != 0) {
    state_.counters.invalid_frames++;
    return;
  }
  constexpr std::size_t kLookAhead = 6 * sizeof(std::uint64_t);
  for (std::size_t at = 0; at < ids.size(); at += sizeof(std::uint64_t)) {
    if (ids.size() - at > kLookAhead) {
      state_.deliveries.expect(DeliveryId(wire::load<std::uint64_t>(ids.data() + at + kLookAhead)));
    }
    const std::uint32_t slot = state_.deliveries.find(DeliveryId(wire::load<std::uint64_t>(ids.data() + at)));
    if (slot == kNil || state_.deliveries[slot].place != Place::worker ||
        state_.deliveries[slot].worker != worker.slot || state_.deliveries[slot].is_request()) {
      state_.counters.stale_replies++;
      continue;
    }
    state_.counters.done++;
    state_.counters.count_success();
    settlement_.close(slot);
  }
}

}  // namespace parley::broker
