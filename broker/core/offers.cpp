#include "broker/core/offers.hpp"

#include <utility>

namespace parley::broker {

Result<> Offers::add_type(Session& session, const wire::TypeRegistration& offer) {
  if (AgentType* known = state_.registry.find(offer.name); known != nullptr) {
    if (const auto own = session.types.find(known->index); own != session.types.end()) {
      if (own->second != offer.index)
        return fail(ErrorCode::invalid, "agent type '" + offer.name + "' is registered with another index");
      state_.registry.add_hosting(offer, session.slot, !session.is_draining);
      return {};
    }
  } else if (state_.registry.size() >= state_.config.max_types) {
    return fail(ErrorCode::overloaded, "the broker knows too many agent types");
  }
  for (const auto& [type, index] : session.types) {
    if (index == offer.index) return fail(ErrorCode::invalid, "two agent types with index " + std::to_string(index));
  }
  AgentType& type = state_.registry.add_hosting(offer, session.slot, !session.is_draining);
  if (!std::exchange(session.is_worker, true)) state_.note(CoreEvent::Type::roster_changed, session.name);
  session.types.emplace(type.index, offer.index);
  drop_orphan_subscriptions(type);
  state_.note(CoreEvent::Type::type_registered, type.name);
  return {};
}

void Offers::remove_type(Session& session, std::string_view name) {
  AgentType* const type = state_.registry.find(name);
  if (type == nullptr || session.types.erase(type->index) == 0) return;
  for (std::uint32_t slot = session.activations.head; slot != kNil; slot = state_.directory[slot].next) {
    const Activation& activation = state_.directory[slot];
    if (activation.type == type->index && !activation.is_leaving) placement_.let_go(slot);
  }
  if (state_.registry.remove_hosting(*type, session.slot, state_.now)) type->is_retired = true;
}

Result<> Offers::add_subscription(Session& session, const wire::SubscriptionBody& subscription) {
  if (const auto known = session.subscriptions.find(subscription.id); known != session.subscriptions.end()) {
    if (known->second == subscription) return {};
    return fail(ErrorCode::invalid, "subscription " + std::to_string(subscription.id) + " is another one already");
  }
  if (session.subscriptions.size() >= state_.config.max_subscriptions_per_session ||
      state_.subscriptions.size() >= state_.config.max_subscriptions) {
    return fail(ErrorCode::overloaded, "too many subscriptions");
  }
  session.subscriptions.emplace(subscription.id, subscription);
  state_.subscriptions.add(subscription.topic, subscription.is_prefix, subscription.agent_type);
  return {};
}

void Offers::remove_subscription(Session& session, std::uint64_t id) {
  const auto it = session.subscriptions.find(id);
  if (it == session.subscriptions.end()) return;
  state_.subscriptions.remove(it->second.topic, it->second.is_prefix, it->second.agent_type);
  session.subscriptions.erase(it);
}

// A worker that crashed comes back: its subscriptions stay with its types until then, so that events are parked too.
void Offers::withdraw(Session& session, Parting parting) {
  for (const auto& [id, subscription] : session.subscriptions) {
    AgentType* const type = state_.registry.find(subscription.agent_type);
    const bool is_kept = parting != Parting::goodbye && type != nullptr && type->hostings.empty() &&
                         !type->is_retired && session.types.contains(type->index);
    if (is_kept) {
      type->orphans.push_back(subscription);
    } else {
      state_.subscriptions.remove(subscription.topic, subscription.is_prefix, subscription.agent_type);
    }
  }
  session.subscriptions.clear();
}

void Offers::drop_orphan_subscriptions(AgentType& type) {
  for (const wire::SubscriptionBody& orphan : type.orphans) {
    state_.subscriptions.remove(orphan.topic, orphan.is_prefix, orphan.agent_type);
  }
  type.orphans.clear();
}

void Offers::forget_types() {
  for (std::size_t index = 0; index < state_.registry.all().size(); index++) {
    AgentType* const type = state_.registry.all()[index].get();
    if (type == nullptr || !type->hostings.empty()) continue;
    if (type->is_retired || state_.now - type->last_hosted >= state_.config.type_memory) forget_type(*type);
  }
}

void Offers::forget_type(AgentType& type) {
  drop_orphan_subscriptions(type);
  type.is_retired = true;
  const Error error(ErrorCode::undeliverable, "no worker for agent type '" + type.name + "' has come back");
  while (type.parked.head != kNil) settlement_.fail(type.parked.head, error);
  // A fenced activation names its type.
  if (type.inflight == 0 && type.leaving == 0 && state_.fenced.count == 0) state_.registry.forget(type);
}

}  // namespace parley::broker
