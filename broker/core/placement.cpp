#include "broker/core/placement.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "broker/core/id_text.hpp"

namespace parley::broker {

using wire::EnvelopeView;
using wire::Kind;

Failure Placement::route(std::uint32_t slot, const EnvelopeView& envelope) {
  const std::string_view target = envelope.target();
  if (target.starts_with('@')) return route_to_capability(slot, envelope);
  const std::string_view id = target.contains('/') ? target : id_.compose(target, kDefaultKey);
  if (const Failure refused = check_quarantine(id)) [[unlikely]]
    return refused;
  const std::uint32_t activation = state_.directory.find(id);
  if (activation != kNil) [[likely]]
    return hand_over(slot, activation, envelope.bytes());
  const SplitId parts = split_id(id);
  if (!is_valid_agent_type(parts.type) || !is_valid_agent_key(parts.key)) {
    return Error(ErrorCode::invalid, in_quotes(target) + " is not an agent id");
  }
  AgentType* const type = state_.registry.find(parts.type);
  if (type == nullptr || !type->is_known()) return unknown_type(parts.type);
  return place(slot, *type, id, envelope.bytes());
}

Error Placement::unknown_type(std::string_view name) {
  std::string text = "no agent type " + in_quotes(name);
  if (state_.suggestions_left > 0) {
    state_.suggestions_left--;
    text += state_.registry.suggestion(name);
  }
  return {ErrorCode::unknown_agent_type, std::move(text)};
}

Failure Placement::route_to_capability(std::uint32_t slot, const EnvelopeView& envelope) {
  const std::string_view capability = split_id(envelope.target().substr(1)).type;
  const std::string_view key = key_of(envelope.target());
  if (!is_valid_agent_type(capability) || !is_valid_agent_key(key)) {
    return Error(ErrorCode::invalid, in_quotes(envelope.target()) + " is not a capability");
  }
  AgentType* const type = state_.registry.find_capable(capability, state_.quarantines);
  if (type == nullptr) {
    return Error(ErrorCode::unknown_agent_type, "no agent type offers the capability " + in_quotes(capability));
  }
  return route_to_type(slot, *type, key, envelope.bytes());
}

Failure Placement::route_to_type(std::uint32_t slot, AgentType& type, std::string_view key, Bytes envelope) {
  const std::string_view id = id_.compose(type.name, key);
  if (const Failure refused = check_quarantine(id)) [[unlikely]]
    return refused;
  const std::uint32_t activation = state_.directory.find(id);
  return activation != kNil ? hand_over(slot, activation, envelope) : place(slot, type, id, envelope);
}

Failure Placement::check_quarantine(std::string_view id) {
  if (state_.quarantines.is_empty()) [[likely]]
    return std::nullopt;
  return state_.quarantines.refuse(id);
}

Failure Placement::place(std::uint32_t slot, AgentType& type, std::string_view id, Bytes envelope) {
  Hosting* const hosting = type.least_loaded();
  if (hosting == nullptr) {
    if (type.is_known()) return park(slot, type, envelope);
    return Error(ErrorCode::undeliverable, "agent type " + in_quotes(type.name) + " was unregistered");
  }
  if (state_.is_directory_full()) [[unlikely]] {
    return overloaded("the broker knows as many live agents as it may (max_activations, " +
                      std::to_string(state_.config.max_activations) + ")");
  }
  Session& worker = state_.sessions[hosting->session];
  const Epoch epoch = state_.next_epoch();
  const std::uint32_t activation = activate(type, worker, id, epoch);
  state_.counters.activations_started++;
  tell_epoch(state_.directory[activation]);
  return hand_over(slot, activation, envelope);
}

void Placement::tell_epoch(const Activation& activation) {
  wire::EnvelopeFields fields;
  fields.kind = Kind::activate;
  fields.delivery_id = activation.epoch.value();
  fields.recipient = activation.recipient;
  fields.target = activation.id();
  outbox_.data(state_.sessions[activation.worker], fields);
}

std::uint32_t Placement::activate(AgentType& type, Session& worker, std::string_view id, Epoch epoch) {
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

void Placement::deactivate(std::uint32_t activation, std::vector<std::uint32_t>& orphans) {
  Activation& entry = state_.directory[activation];
  if (entry.held) {
    while (entry.held->head != kNil) {
      orphans.push_back(entry.held->head);
      settlement_.detach(entry.held->head);
    }
    entry.held.reset();
    state_.holding.erase(activation);
  }
  if (entry.worker == kNil) return state_.directory.remove(activation, state_.fenced);
  leave_hosting(entry);
  state_.directory.remove(activation, state_.sessions[entry.worker].activations);
}

/// It no longer counts as one of its worker's.
void Placement::leave_hosting(Activation& activation) {
  AgentType& type = state_.registry.at(activation.type);
  if (std::exchange(activation.is_leaving, false)) {
    type.leaving--;
  } else if (Hosting* const hosting = type.hosting_of(activation.worker)) {
    hosting->activations--;
  }
}

void Placement::let_go(std::uint32_t activation) {
  Activation& entry = state_.directory[activation];
  leave_hosting(entry);
  entry.is_leaving = true;
  state_.registry.at(entry.type).leaving++;
  ask_passivation(activation);
}

void Placement::ask_passivation(std::uint32_t activation) {
  Activation& entry = state_.directory[activation];
  if (entry.is_passivating) return;
  entry.is_passivating = true;
  wire::EnvelopeFields fields;
  fields.kind = Kind::passivate;
  fields.delivery_id = entry.epoch.value();
  fields.recipient = entry.recipient;
  fields.target = entry.id();
  outbox_.data(state_.sessions[entry.worker], fields);
}

void Placement::fence(Session& worker, TimePoint until, std::vector<std::uint32_t>& orphans) {
  Fence fence{worker.incarnation, until, {}};
  while (worker.activations.head != kNil) {
    const std::uint32_t slot = worker.activations.head;
    Activation& entry = state_.directory[slot];
    // Behind what was not sent yet, and then back to where everything for a fenced id is held.
    while (entry.held && entry.held->head != kNil) {
      orphans.push_back(entry.held->head);
      settlement_.detach(entry.held->head);
    }
    leave_hosting(entry);
    entry.worker = kNil;
    entry.is_passivating = true;
    state_.directory.move(slot, worker.activations, state_.fenced);
    fence.activations.emplace_back(slot, entry.epoch);
  }
  if (!fence.activations.empty()) state_.fences.push_back(std::move(fence));
}

void Placement::lift(const Fence& fence, std::vector<std::uint32_t>& orphans) {
  for (const auto& [slot, epoch] : fence.activations) {
    const Activation& entry = state_.directory[slot];
    if (entry.is_live() && entry.worker == kNil && entry.epoch == epoch) deactivate(slot, orphans);
  }
}

Failure Placement::hand_over(std::uint32_t slot, std::uint32_t activation, Bytes envelope) {
  Activation& target = state_.directory[activation];
  Delivery& delivery = state_.deliveries[slot];
  settlement_.set_type(delivery, target.type);
  if (target.is_passivating) [[unlikely]]
    return hold(slot, activation, envelope);
  Session& worker = state_.sessions[target.worker];
  // A one-way message may become a dead letter, and the failure of a traced request is a hop of its trace.
  const auto flags = wire::load<std::uint8_t>(envelope.data() + wire::layout::kFlags);
  const bool is_kept = !delivery.is_request() || (flags & wire::kFlagTraced) != 0;
  const std::size_t bytes = is_kept ? 2 * envelope.size() : envelope.size();
  if (!outbox_.fits(worker, bytes) || worker.deliveries.count >= state_.config.max_inflight_per_session) [[unlikely]] {
    return overloaded("the queue of worker " + in_quotes(worker.name) + " is full");
  }
  if (target.is_announced) [[unlikely]] {
    // Its id may have lived elsewhere since its epoch was given out; from here on it is the newest.
    target.is_announced = false;
    target.epoch = state_.next_epoch();
    tell_epoch(target);
  }
  const Queued queued = worker.out.data().append(envelope);
  wire::patch_delivery_id(queued.bytes, state_.deliveries.id_of(slot).value());
  wire::patch_recipient(queued.bytes, target.recipient);
  if (delivery.is_request() || delivery.has_deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(delivery.deadline - state_.now);
    wire::patch_remaining_ms(queued.bytes, static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0)));
  }
  if (is_kept) settlement_.keep(slot, envelope);
  delivery.activation = activation;
  delivery.place = Place::worker;
  delivery.worker = worker.slot;
  delivery.frame = queued.position.frame;
  delivery.offset = queued.position.offset;
  state_.deliveries.append(worker.deliveries, slot);
  state_.counters.deliveries++;
  outbox_.mark(worker);
  outbox_.trace(queued, worker, envelope.size());
  return std::nullopt;
}

Failure Placement::hold(std::uint32_t slot, std::uint32_t activation, Bytes envelope) {
  Activation& target = state_.directory[activation];
  AgentType& type = state_.registry.at(target.type);
  if (target.is_leaving && !type.is_known()) return unknown_type(type.name);
  if (type.waiting >= state_.config.max_parked_per_type ||
      type.waiting_bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("too many messages wait for agents of type " + in_quotes(type.name));
  }
  settlement_.keep(slot, envelope);
  type.waiting++;
  type.waiting_bytes += envelope.size();
  Delivery& delivery = state_.deliveries[slot];
  delivery.waiting_since = state_.now;
  delivery.place = Place::held;
  delivery.activation = activation;
  if (!target.held) {
    target.held = std::make_unique<DeliveryList>();
    state_.holding.insert(activation);
  }
  state_.deliveries.append(*target.held, slot);
  return std::nullopt;
}

Failure Placement::park(std::uint32_t slot, AgentType& type, Bytes envelope) {
  settlement_.set_type(state_.deliveries[slot], type.index);
  if (type.waiting >= state_.config.max_parked_per_type ||
      type.waiting_bytes + envelope.size() > state_.config.max_parked_bytes_per_type) {
    return overloaded("agent type " + in_quotes(type.name) + " has no worker now and too many messages wait for one");
  }
  settlement_.keep(slot, envelope);
  type.waiting++;
  type.waiting_bytes += envelope.size();
  state_.counters.parkings++;
  state_.deliveries[slot].waiting_since = state_.now;
  state_.deliveries[slot].place = Place::parked;
  state_.deliveries.append(type.parked, slot);
  return std::nullopt;
}

void Placement::reroute(std::uint32_t slot) {
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
  if (failure) settlement_.fail(slot, *failure, envelope.bytes());
}

void Placement::unpark(AgentType& type) {
  while (type.parked.head != kNil && type.least_loaded() != nullptr) {
    const std::uint32_t slot = type.parked.head;
    settlement_.detach(slot);
    reroute(slot);
  }
}

}  // namespace parley::broker
