#include "broker/core/operations.hpp"

#include <string>
#include <utility>

#include "broker/core/id_text.hpp"

namespace parley::broker {
namespace {

using wire::Kind;

constexpr std::size_t kMaxQuarantines = 10'000;
constexpr std::size_t kMaxDrains = 10'000;
constexpr std::size_t kMaxReasonBytes = 512;

Result<> check_key(std::string_view key) {
  const SplitId parts = split_id(key);
  const bool is_valid = is_valid_agent_type(parts.type) && (!key.contains('/') || is_valid_agent_key(parts.key));
  if (is_valid) return {};
  return fail(ErrorCode::invalid, in_quotes(key) + " is neither an agent id nor an agent type");
}

}  // namespace

Result<wire::OperateReport> Operations::perform(const std::string& peer, const wire::Operate& order) {
  if (order.what == "quarantine") return quarantine(peer, order);
  if (order.what == "release") return release(order);
  if (order.what == "evict") return evict(order);
  if (order.what == "drain") return drain(order);
  return fail(ErrorCode::invalid, "an operation is one of quarantine, release, evict, drain");
}

Result<wire::OperateReport> Operations::quarantine(const std::string& peer, const wire::Operate& order) {
  if (auto checked = check_key(order.key); !checked) return fail(checked.error());
  if (state_.quarantines.size() >= kMaxQuarantines && !state_.quarantines.contains(order.key)) {
    return fail(ErrorCode::overloaded, "too many agents are quarantined already; release some");
  }
  const auto since = static_cast<std::uint64_t>(state_.wall_now().time_since_epoch().count());
  std::string reason = order.reason.substr(0, kMaxReasonBytes);
  state_.quarantines.set({order.key, reason, since, 0, peer});
  state_.note(CoreEvent::Type::quarantined, order.key, std::move(reason));
  refuse_waiting(order.key);
  return wire::OperateReport{.key = order.key};
}

Result<wire::OperateReport> Operations::release(const wire::Operate& order) {
  const wire::PsQuarantine released = state_.quarantines.release(order.key);
  if (released.key.empty()) return fail(ErrorCode::invalid, in_quotes(order.key) + " is not quarantined");
  state_.note(CoreEvent::Type::released, order.key, order.reason.substr(0, kMaxReasonBytes));
  return wire::OperateReport{.key = order.key, .affected = released.refused};
}

// The broker sends no more until the worker has answered DEACTIVATED: an agent id never has two workers.
Result<wire::OperateReport> Operations::evict(const wire::Operate& order) {
  const std::uint32_t slot = state_.directory.find(order.key);
  const bool is_fenced = slot != kNil && state_.directory[slot].worker == kNil;
  if (slot == kNil || is_fenced) return fail(ErrorCode::invalid, in_quotes(order.key) + " lives nowhere now");
  Activation& activation = state_.directory[slot];
  Session& worker = state_.sessions[activation.worker];
  activation.is_passivating = true;
  lifecycle_.evict(worker, activation.id(), activation.epoch);
  state_.note(CoreEvent::Type::evicted, order.key, order.reason.substr(0, kMaxReasonBytes));
  return wire::OperateReport{.key = order.key, .worker = worker.name, .affected = 1};
}

Result<wire::OperateReport> Operations::drain(const wire::Operate& order) {
  wire::OperateReport report{.key = order.key};
  for (const auto& session : state_.sessions.all()) {
    if (!session || !session->is_worker || session->name != order.key) continue;
    if (state_.drains.size() >= kMaxDrains && !state_.drains.contains(session->incarnation)) {
      return fail(ErrorCode::overloaded, "too many workers were told to drain and have not ended");
    }
    lifecycle_.drain(*session);
    report.worker = session->name;
    report.affected += session->activations.count;
    state_.note(CoreEvent::Type::draining, session->name, order.reason.substr(0, kMaxReasonBytes));
  }
  if (report.worker.empty()) return fail(ErrorCode::invalid, "there is no worker " + in_quotes(order.key));
  return report;
}

std::vector<std::uint32_t> Operations::waiting_for(AgentType& type) const {
  std::vector<std::uint32_t> waiting;
  const auto add = [&](const DeliveryList& list) {
    for (std::uint32_t slot = list.head; slot != kNil; slot = state_.deliveries[slot].list_next)
      waiting.push_back(slot);
  };
  const auto add_held = [&](const ActivationList& activations) {
    for (std::uint32_t slot = activations.head; slot != kNil; slot = state_.directory[slot].next) {
      const Activation& activation = state_.directory[slot];
      if (activation.type == type.index && activation.held) add(*activation.held);
    }
  };
  add(type.parked);
  for (const auto& session : state_.sessions.all()) {
    const bool may_have_some = session && (type.leaving > 0 || type.hosting_of(session->slot) != nullptr);
    if (may_have_some) add_held(session->activations);
  }
  add_held(state_.fenced);
  return waiting;
}

void Operations::refuse_waiting(std::string_view key) {
  AgentType* const type = state_.registry.find(split_id(key).type);
  if (type == nullptr) return;
  IdText id;
  for (const std::uint32_t slot : waiting_for(*type)) {
    const auto envelope = wire::EnvelopeView::parse(state_.deliveries[slot].envelope.bytes());
    if (!envelope) continue;
    const auto refusal = state_.quarantines.refuse(id.compose(type->name, key_of(envelope->target())));
    if (!refusal) continue;
    const ByteBuffer kept(envelope->bytes());
    settlement_.fail(slot, *refusal, kept.bytes());
  }
}

}  // namespace parley::broker
