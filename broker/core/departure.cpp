#include "broker/core/departure.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "libmsg/wire/bundle.hpp"

namespace parley::broker {

using wire::Kind;

void Departure::perform(Session& session, const std::string& reason, Parting parting,
                        std::vector<std::uint32_t>& orphans) {
  leave_as_caller(session);
  if (parting != Parting::goodbye && session.is_worker) remember_loss(session, reason);
  leave_as_host(session, parting, orphans);
  offers_.withdraw(session, parting);
}

void Departure::leave_as_caller(Session& session) {
  std::vector<std::uint32_t> slots;
  slots.reserve(session.requests.size());
  for (const auto& [id, slot] : session.requests) slots.push_back(slot);
  std::ranges::sort(slots);
  for (const std::uint32_t slot : slots) settlement_.abandon(slot);
  for (std::uint32_t slot = state_.recovering.head; slot != kNil; slot = state_.deliveries[slot].list_next) {
    if (state_.deliveries[slot].origin == session.slot) state_.deliveries[slot].origin = kNil;
  }
}

void Departure::leave_as_host(Session& session, Parting parting, std::vector<std::uint32_t>& orphans) {
  for (const auto& [index, recipient] : session.types) {
    AgentType& type = state_.registry.at(static_cast<std::uint32_t>(index));
    if (state_.registry.remove_hosting(type, session.slot, state_.now))
      state_.note(CoreEvent::Type::type_parked, type.name);
  }
  take_unsent(session, orphans);
  const TimePoint lease_end = session.last_heartbeat + Duration(state_.config.session_timeout) / 5 * 4;
  if (parting == Parting::lost && state_.now < lease_end) placement_.fence(session, lease_end, orphans);
  while (session.activations.head != kNil) placement_.deactivate(session.activations.head, orphans);
  const Error lost(ErrorCode::worker_lost, "worker '" + session.name + "' is gone; whether it acted is unknown");
  while (session.deliveries.head != kNil) {
    state_.counters.worker_lost++;
    settlement_.fail(session.deliveries.head, lost);
  }
}

void Departure::remember_loss(Session& session, const std::string& reason) {
  constexpr std::size_t kMaxLosses = 64;
  wire::PsLoss loss;
  loss.worker = session.name;
  loss.incarnation = session.incarnation;
  if (session.vitals) loss.pid = session.vitals->pid;
  loss.at_ms = static_cast<std::uint64_t>(state_.wall_now().time_since_epoch().count());
  loss.reason = reason;
  for (std::uint32_t slot = session.deliveries.head; slot != kNil; slot = state_.deliveries[slot].list_next) {
    if (loss.executing.size() >= wire::kMaxVitalsExecuting) break;
    const Delivery& delivery = state_.deliveries[slot];
    const bool is_unsent = session.out.data().at({delivery.frame, delivery.offset}) != nullptr;
    const Activation& activation = state_.directory[delivery.activation];
    const bool is_here =
        activation.id_text != nullptr && activation.worker == session.slot && activation.type == delivery.type;
    if (is_unsent || !is_here) continue;
    std::string id(activation.id());
    if (std::ranges::find(loss.executing, id) == loss.executing.end()) loss.executing.push_back(std::move(id));
  }
  state_.losses.push_back(std::move(loss));
  if (state_.losses.size() > kMaxLosses) state_.losses.pop_front();
}

// What was never sent cannot have been acted on: it goes to another worker, or waits for one.
void Departure::take_unsent(Session& session, std::vector<std::uint32_t>& orphans) {
  for (const ByteBuffer& frame : session.out.data().take_all()) {
    auto bundle = wire::BundleReader::open(frame.bytes());
    if (!bundle) continue;
    while (const auto envelope = bundle->next()) {
      const bool is_delivery =
          envelope->kind() == Kind::request || envelope->kind() == Kind::send || envelope->kind() == Kind::event;
      const std::uint32_t slot = is_delivery ? state_.deliveries.find(envelope->delivery_id()) : kNil;
      if (slot == kNil) continue;
      settlement_.detach(slot);
      settlement_.keep(slot, envelope->bytes());
      orphans.push_back(slot);
    }
  }
}

}  // namespace parley::broker
