#include "broker/core/control.hpp"

#include "broker/core/hello_check.hpp"

namespace parley::broker {

using wire::EnvelopeView;
using wire::Kind;

namespace {

/// The body of a control request, within the bound of its size.
template <class Body>
Result<Body> read_body(const EnvelopeView& envelope) {
  if (envelope.payload().size() > wire::kMaxControlBodyBytes) {
    return fail(ErrorCode::too_large, "the body of a control request is too large");
  }
  return wire::decode_body<Body>(envelope.payload());
}

}  // namespace

template <class Body, class Act>
void Control::answer(Session& session, const EnvelopeView& envelope, Act act) {
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = router_.take_message_id(session, envelope)) return outbox_.error(session, id, *failure);
  const auto body = read_body<Body>(envelope);
  if (!body) return outbox_.error(session, id, body.error());
  const Result<> done = act(*body);
  if (!done) return outbox_.error(session, id, done.error());
  outbox_.reply(session, id, {}, {});
}

void Control::on_register_type(Session& session, const EnvelopeView& envelope) {
  AgentType* added = nullptr;
  answer<wire::TypeRegistration>(session, envelope, [&](const wire::TypeRegistration& offer) -> Result<> {
    if (auto checked = check_type(offer); !checked) return checked;
    if (auto done = offers_.add_type(session, offer); !done) return done;
    added = state_.registry.find(offer.name);
    return {};
  });
  if (added != nullptr) placement_.unpark(*added);
}

void Control::on_unregister_type(Session& session, const EnvelopeView& envelope) {
  answer<wire::TypeName>(session, envelope, [&](const wire::TypeName& body) -> Result<> {
    offers_.remove_type(session, body.name);
    return {};
  });
}

void Control::on_subscribe(Session& session, const EnvelopeView& envelope) {
  answer<wire::SubscriptionBody>(session, envelope, [&](const wire::SubscriptionBody& body) -> Result<> {
    if (auto checked = check_subscription(body); !checked) return checked;
    return offers_.add_subscription(session, body);
  });
}

void Control::on_unsubscribe(Session& session, const EnvelopeView& envelope) {
  answer<wire::SubscriptionId>(session, envelope, [&](const wire::SubscriptionId& body) -> Result<> {
    offers_.remove_subscription(session, body.id);
    return {};
  });
}

void Control::on_query(Session& session, const EnvelopeView& envelope) {
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = router_.take_message_id(session, envelope)) return outbox_.error(session, id, *failure);
  const auto query = read_body<wire::Query>(envelope);
  if (!query) return outbox_.error(session, id, query.error());
  if (query->what == "activation") {
    if (const auto asked = inquiries_.ask(session, id, query->key); !asked) outbox_.error(session, id, asked.error());
    return;
  }
  const auto report = reports_.answer(*query);
  if (!report) return outbox_.error(session, id, report.error());
  outbox_.reply(session, id, report->type, report->body.bytes());
}

void Control::on_operate(Session& session, const EnvelopeView& envelope) {
  const std::uint64_t id = envelope.message_id().value();
  if (const auto failure = router_.take_message_id(session, envelope)) return outbox_.error(session, id, *failure);
  const auto order = read_body<wire::Operate>(envelope);
  if (!order) return outbox_.error(session, id, order.error());
  const Result<wire::OperateReport> report = operations_.perform(session.name, *order);
  if (!report) return outbox_.error(session, id, report.error());
  outbox_.reply(session, id, "parley.OperateReport", wire::encode_body(*report).bytes());
}

std::uint32_t Control::find_own(const Session& session, const EnvelopeView& envelope) const {
  const std::uint32_t slot = state_.directory.find(envelope.target());
  if (slot == kNil) return kNil;
  const Activation& activation = state_.directory[slot];
  return activation.worker == session.slot && activation.epoch == envelope.epoch() ? slot : kNil;
}

void Control::on_passivate(Session& session, const EnvelopeView& envelope) {
  const std::uint32_t slot = find_own(session, envelope);
  if (slot == kNil) return;
  placement_.ask_passivation(slot);
}

void Control::on_deactivated(Session& session, const EnvelopeView& envelope) {
  const std::uint32_t slot = find_own(session, envelope);
  if (slot == kNil) return;
  std::vector<std::uint32_t> held;
  placement_.deactivate(slot, held);
  for (const std::uint32_t delivery : held) placement_.reroute(delivery);
}

}  // namespace parley::broker
