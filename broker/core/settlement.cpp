#include "broker/core/settlement.hpp"

#include <algorithm>
#include <utility>

#include "broker/core/id_text.hpp"

namespace parley::broker {

using wire::EnvelopeView;
using wire::Kind;

std::uint32_t Settlement::open(const EnvelopeView& envelope, Limit limit) {
  const std::uint32_t slot = state_.deliveries.add();
  Delivery& delivery = state_.deliveries[slot];
  delivery.kind = envelope.kind();
  delivery.message_id = envelope.message_id().value();
  delivery.deadline = limit.deadline;
  delivery.has_deadline = limit.is_given;
  state_.wheel.add(slot);
  return slot;
}

void Settlement::keep(std::uint32_t slot, Bytes envelope) {
  ByteBuffer& kept = state_.deliveries[slot].envelope;
  if (kept.data() == envelope.data()) return;
  kept.clear();
  kept.append(envelope);
}

void Settlement::set_type(Delivery& delivery, std::uint32_t type) {
  if (delivery.type == type) return;
  delivery.type = type;
  AgentType& target = state_.registry.at(type);
  target.inflight++;
  if (delivery.is_request()) target.requests++;
}

void Settlement::detach(std::uint32_t slot) {
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

void Settlement::close(std::uint32_t slot) {
  detach(slot);
  state_.wheel.remove(slot);
  const Delivery& delivery = state_.deliveries[slot];
  if (delivery.is_request() && delivery.origin != kNil)
    state_.sessions[delivery.origin].requests.erase(delivery.message_id);
  if (delivery.type != kNil) state_.registry.at(delivery.type).inflight--;
  state_.deliveries.remove(slot);
}

// An envelope that has not been sent is blanked where it lies (receivers skip unknown kinds); after a sent one goes
// CANCEL.
void Settlement::take_back(std::uint32_t slot) {
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

void Settlement::fail(std::uint32_t slot, const Error& error, Bytes envelope) {
  const Delivery& delivery = state_.deliveries[slot];
  state_.counters.count_outcome(error.code);
  if (delivery.type != kNil) state_.registry.at(delivery.type).failures++;
  const auto view = EnvelopeView::parse(envelope);
  if (!delivery.is_request()) {
    if (view) bury(*view, delivery.type, error);
  } else if (delivery.origin != kNil) {
    Session& caller = state_.sessions[delivery.origin];
    outbox_.error(caller, delivery.message_id, error);
    if (view && view->is_traced()) state_.traces.add_failure(*view, caller.name, error.code, state_.wall_us());
  }
  close(slot);
}

void Settlement::abandon(std::uint32_t slot) {
  state_.counters.count_outcome(ErrorCode::cancelled);
  take_back(slot);
  close(slot);
}

void Settlement::expire_due() {
  due_.clear();
  state_.wheel.take_due(state_.now, due_);
  for (const std::uint32_t slot : due_) expire(slot);
}

void Settlement::expire(std::uint32_t slot) {
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

void Settlement::bury(const EnvelopeView& envelope, std::uint32_t type, const Error& error) {
  std::string_view recipient;
  if (envelope.kind() == Kind::event && type != kNil) {
    recipient = id_.compose(state_.registry.at(type).name, key_of(envelope.target()));
  }
  state_.dead_letters.add(envelope, recipient, error, state_.wall_now());
}

}  // namespace parley::broker
