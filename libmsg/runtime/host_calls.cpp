// The calls that agents and clients make: interceptors, encoding, outcomes, cancellation.
#include <asio/post.hpp>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/reply_stream.hpp"
#include "libmsg/runtime/shard.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4U) text[i] = kDigits[value & 15U];
  return text;
}

/// A W3C trace context for a message that starts a trace.
std::string new_traceparent(Random& random) {
  return "00-" + hex(random.next()) + hex(random.next()) + "-" + hex(random.next() | 1U) + "-01";
}

bool has_attribute(const Attributes& attributes, std::string_view name) {
  return std::ranges::any_of(attributes, [name](const auto& entry) { return entry.first == name; });
}

bool is_request_kind(wire::Kind kind) { return kind == wire::Kind::request; }

std::uint32_t remaining_ms(TimePoint deadline, TimePoint now) {
  if (deadline == TimePoint::max()) return wire::kNoDeadline;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, wire::kNoDeadline - 1));
}

}  // namespace

Task<Result<Payload>> AgentHost::request(Turn* turn, Target target, Payload message, CallOptions options) {
  OutgoingPtr outgoing =
      make_outgoing(turn, wire::Kind::request, std::move(target).take(), std::move(message), std::move(options));
  return suspend<Result<Payload>>(
      [this, outgoing = std::move(outgoing)](ReplyHandler resume, asio::cancellation_slot slot) mutable {
        begin_or_fail(std::move(outgoing), Call(std::move(resume)), slot);
      });
}

Task<Result<>> AgentHost::send(Turn* turn, Target target, Payload message, CallOptions options) {
  OutgoingPtr outgoing =
      make_outgoing(turn, wire::Kind::send, std::move(target).take(), std::move(message), std::move(options));
  // Has a name because g++ 12 destroys a temporary closure with such captures twice when it stands behind co_await.
  auto start = [this, outgoing = std::move(outgoing)](AcceptHandler resume, asio::cancellation_slot slot) mutable {
    begin_or_fail(std::move(outgoing), Call(std::move(resume)), slot);
  };
  const Result<std::uint32_t> accepted = co_await suspend<Result<std::uint32_t>>(std::move(start));
  if (!accepted) co_return fail(accepted.error());
  co_return Result<>{};
}

Task<Result<std::uint32_t>> AgentHost::publish(Turn* turn, Topic topic, Payload message, CallOptions options) {
  OutgoingPtr outgoing = make_outgoing(turn, wire::Kind::event, topic.str(), std::move(message), std::move(options));
  outgoing->connection = shard_of(topic.source(), connections_.size());
  return suspend<Result<std::uint32_t>>(
      [this, outgoing = std::move(outgoing)](AcceptHandler resume, asio::cancellation_slot slot) mutable {
        begin_or_fail(std::move(outgoing), Call(std::move(resume)), slot);
      });
}

Task<Result<ReplyStream>> AgentHost::request_stream(Turn* turn, Target target, Payload message, CallOptions options) {
  const OutgoingPtr outgoing =
      make_outgoing(turn, wire::Kind::request, std::move(target).take(), std::move(message), std::move(options));
  auto queue = std::make_shared<PartQueue>(weak_from_this());
  Call call(queue);
  const Result<CallKey> key = begin_call(*outgoing, call);
  if (!key) {
    end_call_span(call, key.error());
    co_return fail(key.error());
  }
  queue->set_key(*key);
  co_return ReplyStream(std::make_unique<ReplyStream::Source>(std::move(queue)));
}

AgentHost::OutgoingPtr AgentHost::make_outgoing(Turn* turn, wire::Kind kind, std::string target, Payload message,
                                                CallOptions options) const {
  auto outgoing = std::make_unique<Outgoing>(turn, kind, std::move(target), 0, std::move(message), std::move(options));
  outgoing->connection = shard_of(outgoing->target, connections_.size());
  return outgoing;
}

/// Ends in begin_call(), or posts the failure: a coroutine must not be resumed while it is being suspended. The message
/// is freed here, not with the caller, who waits for long perhaps.
void AgentHost::begin_or_fail(OutgoingPtr outgoing, Call call, asio::cancellation_slot slot) {
  const Result<CallKey> key = begin_call(*outgoing, call);
  if (!key) {
    end_call_span(call, key.error());
    asio::post(io_,
               [call = std::move(call), error = key.error()]() mutable { end_call(std::move(call), fail(error)); });
    return;
  }
  if (key->id.is_zero()) {  // An interceptor swallowed the event.
    asio::post(io_, [call = std::move(call)]() mutable { std::get<AcceptHandler>(call.waiter)(std::uint32_t{0}); });
    return;
  }
  if (!slot.is_connected()) return;
  slot.assign([weak = weak_from_this(), key = *key](asio::cancellation_type) {
    if (const auto self = weak.lock()) self->cancel_call_soon(key);
  });
}

/// Writes the message and keeps `call` under the returned key (a zero id: dropped on purpose). After a failure `call`
/// still belongs to the caller.
Result<AgentHost::CallKey> AgentHost::begin_call(Outgoing& outgoing, Call& call) {
  if (Result<> allowed = check_may_call(outgoing); !allowed) return fail(std::move(allowed).error());
  if (!interceptors_.empty()) {
    const Result<Passage> passage = intercept(outgoing);
    if (!passage) return fail(passage.error());
    if (*passage == Passage::dropped) return CallKey{};
  }
  Connection& connection = connections_[outgoing.connection];
  if (outgoing.message.bytes.size() > connection.max_payload_bytes) {
    return fail(ErrorCode::too_large, "the payload of " + std::to_string(outgoing.message.bytes.size()) +
                                          " bytes is larger than the limit of " +
                                          std::to_string(connection.max_payload_bytes));
  }
  Turn* const turn = outgoing.turn;
  const bool is_traced = outgoing.options.is_traced || (turn != nullptr && turn->is_traced);
  if (span_sink_) [[unlikely]]
    begin_call_span(outgoing, call);
  if (Result<> encoded = encode_attributes(outgoing, is_traced); !encoded) return fail(std::move(encoded).error());

  const TimePoint begun = now();
  TimePoint deadline = begun + outgoing.options.timeout;
  const std::uint32_t worth_ms = remaining_ms(deadline, begun);
  if (turn != nullptr) deadline = std::min(deadline, turn->until);
  call.turn = turn;
  call.target = outgoing.target;
  const bool is_request = is_request_kind(outgoing.kind);
  const MessageId id = connection.calls.add(std::move(call), deadline);
  const wire::EnvelopeFields fields{
      .kind = outgoing.kind,
      .flags = static_cast<std::uint8_t>(is_traced ? wire::kFlagTraced : 0),
      .message_id = id.value(),
      .remaining_ms = is_request ? remaining_ms(deadline, begun) : worth_ms,
      .source = turn == nullptr ? std::string_view() : std::string_view(turn->activation->id),
      .target = outgoing.target,
      .payload_type = outgoing.message.type,
      .attributes = scratch_.bytes(),
      .payload = as_bytes(outgoing.message.bytes)};
  if (Result<> written = wire::append_envelope(connection.out, fields); !written) {
    call = std::move(*connection.calls.take(id));
    return fail(std::move(written).error());
  }
  const CallKey key{outgoing.connection, id};
  if (turn != nullptr) {
    turn->calls.push_back(key);
    resume_turn(*turn);
  }
  wrote(outgoing.connection);
  return key;
}

Result<> AgentHost::check_may_call(const Outgoing& outgoing) {
  const Turn* const turn = outgoing.turn;
  // While turns end, clients may call as well: a turn's model asks the ledger, and tells it what was spent.
  if (state_ == State::stopped) return fail(shutting_down());
  if (outgoing.options.timeout <= std::chrono::milliseconds::zero()) {
    return fail(ErrorCode::timeout, "no time was left for a message to '" + outgoing.target + "'");
  }
  if (turn == nullptr) return {};
  if (turn->cancelled) return fail(*turn->cancelled);
  if (turn->until <= now()) {
    return fail(ErrorCode::timeout, "the deadline of the handled message has passed");
  }
  return {};
}

Result<AgentHost::Passage> AgentHost::intercept(Outgoing& outgoing) {
  Intercepted message{outgoing.turn == nullptr ? AgentId() : outgoing.turn->self(), outgoing.target,
                      std::move(outgoing.message), std::move(outgoing.options.attributes)};
  const bool is_event = outgoing.kind == wire::Kind::event;
  const auto chain = interceptors_;  // One may add another.
  for (const std::shared_ptr<Interceptor>& interceptor : chain) {
    Verdict verdict;
    try {
      verdict = is_event ? interceptor->on_publish(message) : interceptor->on_send(message);
    } catch (const std::exception& failure) {
      verdict = Verdict::refuse({ErrorCode::refused, std::string("an interceptor failed: ") + failure.what()});
    }
    if (verdict.action == Verdict::Action::pass) continue;
    if (verdict.action == Verdict::Action::drop && is_event) {
      counters_.drops.publishes++;
      return Passage::dropped;
    }
    return fail(verdict.error.value_or(
        Error(ErrorCode::refused, "an interceptor dropped the message to '" + outgoing.target + "'")));
  }
  outgoing.message = std::move(message.payload);
  outgoing.options.attributes = std::move(message.attributes);
  return Passage::pass;
}

/// Into scratch_: the caller's own attributes, and of the handled message those that belong to the conversation.
Result<> AgentHost::encode_attributes(const Outgoing& outgoing, bool is_traced) {
  scratch_.clear();
  const Attributes& own = outgoing.options.attributes;
  for (const auto& [name, value] : own) {
    if (name == wire::attribute::kCallChain) continue;  // The runtime's own.
    if (name == wire::attribute::kTraceparent && !outgoing.traceparent.empty()) continue;
    if (Result<> added = wire::append_attribute(scratch_, name, value); !added) return added;
  }
  if (!outgoing.traceparent.empty()) {
    Result<> added = wire::append_attribute(scratch_, wire::attribute::kTraceparent, outgoing.traceparent);
    if (!added) return added;
  }
  Turn* const turn = outgoing.turn;
  if (turn != nullptr) {
    for (const std::string_view name : {wire::attribute::kTraceparent, wire::attribute::kConversation}) {
      const std::string_view inherited = turn->attribute(name);
      if (inherited.empty() || has_attribute(own, name)) continue;
      if (name == wire::attribute::kTraceparent && !outgoing.traceparent.empty()) continue;
      if (Result<> added = wire::append_attribute(scratch_, name, inherited); !added) return added;
    }
  }
  if (is_traced && outgoing.traceparent.empty() && !has_attribute(own, wire::attribute::kTraceparent) &&
      (turn == nullptr || turn->attribute(wire::attribute::kTraceparent).empty())) {
    if (Result<> added = wire::append_attribute(scratch_, wire::attribute::kTraceparent, new_traceparent(random_));
        !added) {
      return added;
    }
  }
  if (turn == nullptr || !is_request_kind(outgoing.kind)) return {};
  std::string chain(turn->attribute(wire::attribute::kCallChain));
  if (!chain.empty()) chain += '\n';
  chain += turn->activation->id;
  return wire::append_attribute(scratch_, wire::attribute::kCallChain, chain);
}

void AgentHost::detach_from_turn(const Call& call, CallKey key) {
  if (call.turn == nullptr) return;
  std::vector<CallKey>& keys = call.turn->calls;
  const auto found = std::ranges::find(keys, key);
  if (found == keys.end()) return;
  *found = keys.back();
  keys.pop_back();
}

void AgentHost::end_call(Call call, Result<Payload> outcome) {
  end_call_span(call, outcome ? std::nullopt : std::optional(outcome.error()));
  if (auto* reply = std::get_if<ReplyHandler>(&call.waiter)) {
    (*reply)(std::move(outcome));
  } else if (auto* accept = std::get_if<AcceptHandler>(&call.waiter)) {
    if (outcome) {
      (*accept)(std::uint32_t{0});
    } else {
      (*accept)(fail(std::move(outcome).error()));
    }
  } else if (auto* stream = std::get_if<std::shared_ptr<PartQueue>>(&call.waiter)) {
    (*stream)->finish(std::move(outcome));
  }
}

/// The caller gives up: it has its outcome now, and the broker learns that nobody waits.
void AgentHost::fail_call(CallKey key, Call call, const Error& why) {
  detach_from_turn(call, key);
  const bool is_request = !std::holds_alternative<AcceptHandler>(call.waiter) && !call.is_control;
  if (is_request) {
    (void)wire::append_envelope(connections_[key.connection].out,
                                {.kind = wire::Kind::cancel, .message_id = key.id.value()});
    request_flush();
  }
  end_call(std::move(call), fail(why));
}

void AgentHost::cancel_call(CallKey key, const Error& why) {
  std::optional<Call> call = connections_[key.connection].calls.take(key.id);
  if (call) fail_call(key, std::move(*call), why);
}

void AgentHost::cancel_call_soon(CallKey key) {
  if (is_closed_) return;
  asio::post(io_, [weak = weak_from_this(), key] {
    const auto self = weak.lock();
    if (self && !self->is_closed_) self->cancel_call(key, Error(ErrorCode::cancelled, "the caller cancelled the call"));
  });
}

void AgentHost::expire_calls() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    while (auto expired = connections_[i].calls.take_expired(now_)) {
      const Error late(ErrorCode::timeout, "no answer from '" + expired->call.target + "' before the deadline");
      fail_call({i, expired->id}, std::move(expired->call), late);
    }
  }
}

/// A change of the registry, which HELLO carries as well: without a session nobody waits for the broker's word.
Task<Result<>> AgentHost::control(std::size_t connection, wire::Kind kind, ByteBuffer body, std::string what) {
  if (state_ == State::fresh) co_return Result<>{};  // The first HELLO says it.
  if (connections_[connection].session.is_zero()) {
    // The link may have said HELLO without it a moment ago, so the next session hears it in any case.
    const MessageId id = connections_[connection].calls.next_id();
    write_control_request(connection, kind, id, body.bytes());
    co_return Result<>{};
  }
  const Result<Payload> answer = co_await suspend<Result<Payload>>(
      [this, connection, kind, &body, &what](ReplyHandler resume, asio::cancellation_slot) {
        Call call{std::move(resume)};
        call.is_control = true;
        call.target = std::move(what);
        const MessageId id = connections_[connection].calls.add(std::move(call), now() + kControlTimeout);
        write_control_request(connection, kind, id, body.bytes());
      });
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

void AgentHost::write_control_request(std::size_t connection, wire::Kind kind, MessageId id, Bytes body) {
  // Cannot fail: names are checked before, so a body is small.
  (void)wire::append_envelope(connections_[connection].out, {.kind = kind, .message_id = id.value(), .payload = body});
  request_flush();
}

}  // namespace parley
