// What comes in from the brokers: frames and the link's events.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "libmsg/core/retry_hint.hpp"
#include "libmsg/core/whole_number.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/reply_stream.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

Payload payload_of(const wire::EnvelopeView& envelope) {
  return {std::string(envelope.payload_type()), std::string(as_text(envelope.payload()))};
}

/// What the broker says to those whom it cannot serve just now; nullopt for anything but a number.
std::optional<std::chrono::milliseconds> retry_after_of(Bytes attributes) {
  const std::string_view text = wire::find_attribute(attributes, wire::attribute::kRetryAfterMs).value_or("");
  const std::optional<std::uint64_t> wait_ms = whole_number(text);
  if (!wait_ms || *wait_ms > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*wait_ms));
}

Error error_of(const wire::EnvelopeView& envelope) {
  Error error(envelope.code(), std::string(as_text(envelope.payload())));
  error.details = wire::parse_details(envelope.attributes());
  if (const auto wait = retry_after_of(envelope.attributes())) set_retry_after(error, *wait);
  return error;
}

}  // namespace

void AgentHost::on_frame(std::size_t connection, Bytes frame) {
  auto bundle = wire::BundleReader::open(frame);
  if (!bundle) {
    counters_.drops.malformed++;
    return;
  }
  while (const std::optional<wire::EnvelopeView> envelope = bundle->next()) {
    if (is_closed_) return;
    switch (envelope->kind()) {
      case wire::Kind::request:
      case wire::Kind::send:
      case wire::Kind::event:
        on_delivery(connection, *envelope);
        break;
      case wire::Kind::reply:
      case wire::Kind::error:
      case wire::Kind::part:
        on_answer(connection, *envelope);
        break;
      case wire::Kind::cancel:
        on_cancel(connection, envelope->delivery_id());
        break;
      case wire::Kind::accepted:
        on_accepted(connection, envelope->payload());
        break;
      case wire::Kind::activate:
      case wire::Kind::passivate:
      case wire::Kind::evict:
        on_placement(connection, *envelope);
        break;
      case wire::Kind::inspect:
        on_inspect(connection, *envelope);
        break;
      default:
        break;  // The link's own kinds, and those of a newer peer.
    }
  }
  if (bundle->error()) counters_.drops.malformed++;
}

void AgentHost::on_answer(std::size_t connection, const wire::EnvelopeView& envelope) {
  Calls& calls = connections_[connection].calls;
  if (envelope.kind() == wire::Kind::part) {
    Call* const call = calls.find(envelope.message_id());
    const auto* stream = call == nullptr ? nullptr : std::get_if<std::shared_ptr<PartQueue>>(&call->waiter);
    if (call != nullptr && call->turn != nullptr) resume_turn(*call->turn);
    if (stream == nullptr) return;  // The caller wants the final reply only, or no longer anything.
    const std::shared_ptr<PartQueue> queue = *stream;
    if (queue->push(payload_of(envelope))) return;
    cancel_call({connection, envelope.message_id()},
                Error(ErrorCode::overloaded, "the parts of a streamed reply were not taken fast enough"));
    return;
  }
  std::optional<Call> call = calls.take(envelope.message_id());
  if (!call) {
    counters_.drops.late_answers++;
    return;
  }
  detach_from_turn(*call, {connection, envelope.message_id()});
  if (call->turn != nullptr) resume_turn(*call->turn);
  if (envelope.kind() == wire::Kind::error) {
    end_call(std::move(*call), fail(error_of(envelope)));
  } else {
    end_call(std::move(*call), payload_of(envelope));
  }
  now_ = clock_.now();  // The resumed coroutine may have computed for long.
}

void AgentHost::on_accepted(std::size_t connection, Bytes payload) {
  constexpr std::size_t kEntryBytes = 12;
  for (; payload.size() >= kEntryBytes; payload = payload.subspan(kEntryBytes)) {
    const MessageId id(wire::load<std::uint64_t>(payload.data()));
    const auto recipients = wire::load<std::uint32_t>(payload.data() + 8);
    std::optional<Call> call = connections_[connection].calls.take(id);
    if (!call) continue;
    detach_from_turn(*call, {connection, id});
    if (call->turn != nullptr) resume_turn(*call->turn);
    end_call_span(*call, std::nullopt);
    if (auto* accept = std::get_if<AcceptHandler>(&call->waiter)) (*accept)(recipients);
  }
}

/// What has not started gives its place in the mailbox back at once; the broker expects no answer.
void AgentHost::on_cancel(std::size_t connection, DeliveryId delivery) {
  const auto found = deliveries_.find(delivery.value());
  if (found == deliveries_.end() || found->second->connection != connection) return;
  Turn& turn = *found->second;
  Activation& activation = *turn.activation;
  const auto is_the_turn = [&turn](const TurnPtr& waiting) { return waiting.get() == &turn; };
  std::optional<TurnPtr> waiting = scheduler_.take_waiting(activation, is_the_turn);
  if (!waiting) return cancel_turn(turn, Error(ErrorCode::cancelled, "the caller no longer waits for the reply"));
  leave_mailbox(turn);
  count_outcome(turn, ErrorCode::cancelled);
  recycle(std::move(*waiting));
  settle_idle(activation);
}

void AgentHost::on_placement(std::size_t connection, const wire::EnvelopeView& envelope) {
  const std::string_view id = envelope.target();
  Activation* activation = scheduler_.find(id);
  if (envelope.kind() == wire::Kind::activate) {
    // By number: one that was unregistered meanwhile still takes what was under way to it.
    AgentType* const type = find_type(split_id(id).type, envelope.recipient());
    Result<AgentId> agent_id = AgentId::parse(id);
    if (type == nullptr || !agent_id) {
      write_control(connection, wire::Kind::deactivated, id, envelope.epoch());
      return;
    }
    Activation& placed = scheduler_.activate(id, envelope.epoch(), rules_of(*type), now_);
    placed.body.type = type;
    placed.body.connection = connection;
    if (placed.body.id.is_empty()) placed.body.id = std::move(*agent_id);
    return passivate_surplus();
  }
  if (activation == nullptr) return;
  if (envelope.kind() == wire::Kind::passivate) {
    if (scheduler_.grant_passivation(*activation, envelope.epoch())) leave_if_possible(*activation);
    return;
  }
  evict(*activation);
}

void AgentHost::on_link_event(std::size_t connection, const link::LinkEvent& event) {
  Connection& state = connections_[connection];
  if (const auto* ready = std::get_if<link::SessionReady>(&event)) {
    state.session = SessionToken(ready->welcome.token);
    state.max_payload_bytes = std::min<std::uint64_t>(ready->welcome.max_payload_bytes, wire::kMaxPayloadBytes);
    refresh_lease();
    // The HELLO carried every change of the registry that the last session left unanswered.
    const MessageId settled = state.last_sent_before;
    for (auto& taken :
         state.calls.take_if([settled](MessageId id, const Call& call) { return call.is_control && id <= settled; })) {
      end_call(std::move(taken.call), Payload{});
    }
    if (state_ == State::stopping) ask_drain(connection);  // The HELLO offered its types anew.
  } else if (const auto* lost = std::get_if<link::SessionLost>(&event)) {
    on_session_lost(connection, *lost);
  }
}

void AgentHost::on_session_lost(std::size_t connection, const link::SessionLost& lost) {
  Connection& state = connections_[connection];
  submit(connection);  // Under the old session, so that its replies end with it.
  state.session = {};
  state.last_sent_before = std::max(state.last_sent_before, lost.last_sent);
  for (TurnPtr& turn :
       scheduler_.drop_waiting([connection](const TurnPtr& waiting) { return waiting->connection == connection; })) {
    counters_.drops.lost_waiting++;
    leave_mailbox(*turn);
    recycle(std::move(turn));
  }
  scheduler_.forget_handshakes();
  evict_unregistered(connection);
  auto ended =
      state.calls.take_if([&lost](MessageId id, const Call& call) { return id <= lost.last_sent && !call.is_control; });
  for (auto& taken : ended) {
    detach_from_turn(taken.call, {connection, taken.id});
    end_call(std::move(taken.call), fail(ErrorCode::broker_lost, "the connection to the broker broke (" + lost.reason +
                                                                     "); whether the message was handled is unknown"));
  }
}

}  // namespace parley
