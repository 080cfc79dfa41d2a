// The spans of turns and calls. Nothing here runs unless somebody has given the host a SpanSink.
//
// A message whose `traceparent` is sampled, or that is traced hop by hop (`parley request --trace`), has its spans
// recorded; one without a `traceparent` begins a trace, and the sink decides. Either way the decision travels on, so
// that a trace is recorded whole or not at all.
#include "libmsg/core/ids.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

/// No registered system of the conventions fits: Parley's frames travel on ZeroMQ.
constexpr const char* kSystem = "zeromq";

void add_text(Span& span, const char* name, std::string_view value) {
  if (!value.empty()) span.attributes.push_back({name, std::string(value)});
}

void describe_message(Span& span, const char* operation, const char* type, std::string_view destination,
                      const Payload& message) {
  add_text(span, "messaging.system", kSystem);
  add_text(span, "messaging.operation.name", operation);
  add_text(span, "messaging.operation.type", type);
  add_text(span, "messaging.destination.name", destination);
  add_text(span, "parley.message.type", message.type);
  span.attributes.push_back({"messaging.message.body.size", static_cast<std::int64_t>(message.bytes.size())});
}

const char* operation_of(wire::Kind kind) {
  if (kind == wire::Kind::request) return "request";
  return kind == wire::Kind::event ? "publish" : "send";
}

/// `billing/7` and `billing` are both `billing`, since names of spans have to be few.
std::string_view type_of(std::string_view target) { return target.substr(0, target.find('/')); }

}  // namespace

void AgentHost::set_span_sink(std::shared_ptr<SpanSink> sink) { span_sink_ = std::move(sink); }

void AgentHost::begin_turn_span(Turn& turn) {
  turn.span.reset();
  turn.trace = {};
  if (!span_sink_) [[likely]]
    return;
  const auto parent = TraceContext::parse(turn.attribute(wire::attribute::kTraceparent));
  turn.trace = parent ? *parent : span_sink_->begin_trace();
  turn.trace.is_sampled |= turn.is_traced;
  if (!turn.trace.is_sampled) return;
  if (parent) turn.trace.span = span_sink_->next_span_id();
  const std::string& agent_type = turn.activation->body.type->name;
  Span span{.context = turn.trace,
            .parent = parent ? parent->span : 0,
            .name = "process " + agent_type,
            .kind = SpanKind::consumer,
            .started = turn.started,
            .ended = {},
            .attributes = {},
            .error = {}};
  describe_message(span, "process", "process", turn.event_topic ? turn.event_topic->type() : agent_type, turn.message);
  add_text(span, "messaging.consumer.group.name", turn.event_topic ? std::string_view(agent_type) : "");
  add_text(span, "messaging.message.conversation_id", turn.attribute(wire::attribute::kConversation));
  add_text(span, "gen_ai.agent.name", agent_type);
  add_text(span, "gen_ai.agent.id", turn.activation->id);
  if (!turn.sender_id.is_empty()) add_text(span, "parley.sender", turn.sender_id.str());
  const std::chrono::duration<double> waited = turn.started - turn.arrived;
  span.attributes.push_back({"parley.waited_seconds", waited.count()});
  turn.span.reset(new OpenSpan{std::move(span), span_sink_, clock_});
}

void AgentHost::end_turn_span(Turn& turn, const Result<Payload>& outcome) {
  if (!turn.span) [[likely]]
    return;
  turn.span->end(outcome ? std::nullopt : std::optional(outcome.error()));
  turn.span.reset();
}

/// Gives the message its place in the trace of the one that is being handled, or of its own.
void AgentHost::begin_call_span(Outgoing& outgoing, Call& call) {
  std::optional<TraceContext> parent;
  for (const auto& [name, value] : outgoing.options.attributes) {
    if (name == wire::attribute::kTraceparent) parent = TraceContext::parse(value);
  }
  const Turn* const turn = outgoing.turn;
  if (!parent && turn != nullptr && turn->trace.is_valid()) parent = turn->trace;
  TraceContext context = parent ? *parent : span_sink_->begin_trace();
  context.is_sampled |= outgoing.options.is_traced || (turn != nullptr && turn->is_traced);
  if (context.is_sampled && parent) context.span = span_sink_->next_span_id();
  outgoing.traceparent = context.str();
  if (!context.is_sampled) return;
  const std::string_view type = type_of(outgoing.target);
  const char* const operation = operation_of(outgoing.kind);
  Span span{.context = context,
            .parent = parent ? parent->span : 0,
            .name = std::string(operation) + " " + std::string(type),
            // A request waits for its answer, the others only hand over.
            .kind = outgoing.kind == wire::Kind::request ? SpanKind::client : SpanKind::producer,
            .started = clock_.now(),
            .ended = {},
            .attributes = {},
            .error = {}};
  describe_message(span, operation, "send", type, outgoing.message);
  add_text(span, "parley.target", outgoing.target);
  if (turn != nullptr) add_text(span, "gen_ai.agent.name", turn->activation->body.type->name);
  call.span.reset(new OpenSpan{std::move(span), span_sink_, clock_});
}

void AgentHost::end_call_span(Call& call, std::optional<Error> error) {
  if (!call.span) [[likely]]
    return;
  call.span->end(std::move(error));
  call.span.reset();
}

}  // namespace parley
