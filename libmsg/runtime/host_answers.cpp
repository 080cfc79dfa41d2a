// What a turn's message is answered with, and how its outcome is counted.
#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

/// An error's text is cut to this, so that a handler's exception cannot make an envelope too large.
constexpr std::size_t kMaxErrorText = 4096;
constexpr std::string_view kErrorType = "parley.Error";

}  // namespace

Result<> AgentHost::intercept_response(Turn& turn, Payload& reply) {
  Intercepted message{turn.self(), turn.sender_id.is_empty() ? std::string() : turn.sender_id.str(), std::move(reply),
                      turn.all_attributes};
  const auto chain = interceptors_;  // One may add another.
  for (const std::shared_ptr<Interceptor>& interceptor : chain) {
    Verdict verdict;
    try {
      verdict = interceptor->on_response(message);
    } catch (const std::exception& failure) {
      verdict = Verdict::refuse({ErrorCode::refused, std::string("an interceptor failed: ") + failure.what()});
    }
    if (verdict.action == Verdict::Action::pass) continue;
    return fail(verdict.error.value_or(
        Error(ErrorCode::refused, "an interceptor dropped the reply of '" + turn.activation->id + "'")));
  }
  reply = std::move(message.payload);
  return {};
}

void AgentHost::answer(Turn& turn, const Result<Payload>& outcome) {
  Connection& connection = connections_[turn.connection];
  if (turn.session != connection.session || connection.session.is_zero()) {
    counters_.drops.stale_replies++;
    return;
  }
  if (!outcome) return answer_error(turn, outcome.error());
  if (!turn.is_request()) {
    return report_done(turn.connection, turn.delivery);
  }
  if (outcome->bytes.size() > connection.max_payload_bytes) {
    return answer_error(turn,
                        {ErrorCode::too_large, "the reply of '" + turn.activation->id + "' has " +
                                                   std::to_string(outcome->bytes.size()) + " bytes; the limit is " +
                                                   std::to_string(connection.max_payload_bytes)});
  }
  wire::EnvelopeFields fields = answer_fields(wire::Kind::reply, turn);
  fields.payload_type = outcome->type;
  fields.payload = as_bytes(outcome->bytes);
  const Result<> written = wire::append_envelope(connection.out, fields);
  if (!written) return answer_error(turn, written.error());
  wrote(turn.connection);
}

/// An answer to a turn's message so far; the answer to a traced message is traced as well.
wire::EnvelopeFields AgentHost::answer_fields(wire::Kind kind, const Turn& turn) {
  wire::EnvelopeFields fields{.kind = kind, .delivery_id = turn.delivery.value()};
  if (!turn.is_traced) [[likely]]
    return fields;
  scratch_.clear();
  const Result<> added =
      wire::append_attribute(scratch_, wire::attribute::kTraceparent, turn.attribute(wire::attribute::kTraceparent));
  if (!added) return fields;
  fields.flags = wire::kFlagTraced;
  fields.attributes = scratch_.bytes();
  return fields;
}

void AgentHost::report_done(std::size_t connection, DeliveryId delivery) {
  wire::store(connections_[connection].done.grow(sizeof(std::uint64_t)), delivery.value());
  request_flush();
}

void AgentHost::answer_error(const Turn& turn, const Error& error) {
  answer_error(turn.connection, answer_fields(wire::Kind::error, turn), error);
}

void AgentHost::answer_error(std::size_t connection, DeliveryId delivery, const Error& error) {
  answer_error(connection, {.kind = wire::Kind::error, .delivery_id = delivery.value()}, error);
}

void AgentHost::answer_error(std::size_t connection, wire::EnvelopeFields fields, const Error& error) {
  if (!error.details.empty()) {
    // Of the attributes so far only a traced answer has any, and they lie in scratch_.
    if (fields.attributes.empty()) scratch_.clear();
    wire::append_details(scratch_, error.details);
    fields.attributes = scratch_.bytes();
  }
  fields.code = error.code;
  fields.payload_type = kErrorType;
  fields.payload = as_bytes(std::string_view(error.message).substr(0, kMaxErrorText));
  (void)wire::append_envelope(connections_[connection].out, fields);
  wrote(connection);
}

/// The message never ran.
void AgentHost::refuse(TurnPtr turn, const Error& error) {
  answer(*turn, fail(error));
  count_outcome(*turn, error.code);
  recycle(std::move(turn));
}

/// The outcome goes out ahead of the handler's end, which nobody waits for any more. The turn may be over when this
/// returns.
void AgentHost::cut_short(Turn& turn, const Error& why) {
  if (!turn.is_answered) {
    answer(turn, fail(why));
    count_outcome(turn, why.code);
    turn.is_answered = true;
  }
  cancel_turn(turn, why);
}

void AgentHost::count_outcome(Turn& turn, std::optional<ErrorCode> code) {
  AgentType& type = *turn.activation->body.type;
  (turn.is_request() ? type.requests : type.one_way)++;
  const std::size_t number = code ? static_cast<std::size_t>(*code) : 0;
  type.outcomes[std::min(number, type.outcomes.size() - 1)]++;
  record_turn(turn, code);
  if (observer_) observer_(type.name, code ? to_string(*code) : "ok", now_ - turn.arrived);
}

}  // namespace parley
