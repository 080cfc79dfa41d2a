#include "agents/host/model_span.hpp"

#include <utility>

#include "libmsg/core/ids.hpp"

namespace parley::host {
namespace {

void add_text(Span& span, const char* name, const std::string& value) {
  if (!value.empty()) span.attributes.push_back({name, value});
}

void add_usage(Span& span, const messages::Usage& usage) {
  span.attributes.push_back({"gen_ai.usage.input_tokens", static_cast<std::int64_t>(usage.input_tokens)});
  span.attributes.push_back({"gen_ai.usage.output_tokens", static_cast<std::int64_t>(usage.output_tokens)});
  add_text(span, "gen_ai.response.model", usage.model);
}

/// The conventions' words; a reason that nobody knows has none.
const char* name_of(llm::FinishReason reason) {
  switch (reason) {
    case llm::FinishReason::stop:
      return "stop";
    case llm::FinishReason::length:
      return "length";
    case llm::FinishReason::content_filter:
      return "content_filter";
    case llm::FinishReason::tool_calls:
      return "tool_call";
    case llm::FinishReason::unknown:
      return "error";
  }
  return "error";
}

}  // namespace

std::optional<Span> begin_model_span(SpanSink* sink, const llm::ChatRequest& request, const std::string& provider,
                                     const std::string& model, TimePoint now) {
  if (sink == nullptr) return std::nullopt;
  const auto parent = TraceContext::parse(request.caller.traceparent);
  if (!parent || !parent->is_sampled) return std::nullopt;
  Span span;
  span.context = *parent;
  span.context.span = sink->next_span_id();
  span.parent = parent->span;
  span.name = "chat " + model;
  span.kind = SpanKind::client;
  span.started = now;
  add_text(span, "gen_ai.operation.name", "chat");
  add_text(span, "gen_ai.provider.name", provider);
  add_text(span, "gen_ai.request.model", model);
  add_text(span, "gen_ai.conversation.id", request.caller.conversation);
  add_text(span, "gen_ai.agent.id", request.caller.agent);
  add_text(span, "gen_ai.agent.name", std::string(split_id(request.caller.agent).type));
  if (request.temperature) span.attributes.push_back({"gen_ai.request.temperature", *request.temperature});
  if (request.max_tokens) {
    span.attributes.push_back({"gen_ai.request.max_tokens", static_cast<std::int64_t>(*request.max_tokens)});
  }
  return span;
}

Span end_model_span(Span span, const std::expected<llm::Completion, llm::ModelError>& outcome, TimePoint now) {
  span.ended = now;
  if (!outcome) {
    span.error = outcome.error().error;
    if (outcome.error().usage) add_usage(span, *outcome.error().usage);
    return span;
  }
  add_usage(span, outcome->usage);
  span.attributes.push_back(
      {"gen_ai.response.finish_reasons", std::vector<std::string>{name_of(outcome->finish_reason)}});
  if (!outcome->failed_attempts.empty()) {
    span.attributes.push_back({"parley.repeated", static_cast<std::int64_t>(outcome->failed_attempts.size())});
  }
  if (outcome->time_to_first_chunk) {
    const std::chrono::duration<double> first = *outcome->time_to_first_chunk;
    span.attributes.push_back({"parley.time_to_first_chunk_seconds", first.count()});
  }
  return span;
}

}  // namespace parley::host
