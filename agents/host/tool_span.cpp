#include "agents/host/tool_span.hpp"

#include <string>
#include <utility>

namespace parley::host {
namespace {

using tools::ToolOutcome;

ErrorCode code_of(ToolOutcome outcome) {
  switch (outcome) {
    case ToolOutcome::invalid_arguments:
    case ToolOutcome::unknown_tool:
      return ErrorCode::invalid;
    case ToolOutcome::refused:
      return ErrorCode::unauthorized;
    case ToolOutcome::timeout:
      return ErrorCode::timeout;
    case ToolOutcome::cancelled:
      return ErrorCode::cancelled;
    case ToolOutcome::ok:
    case ToolOutcome::tool_error:
      break;
  }
  return ErrorCode::handler_failed;
}

}  // namespace

std::optional<Span> make_tool_span(SpanSink* sink, const tools::ToolRecord& record, TimePoint now) {
  if (sink == nullptr) return std::nullopt;
  const auto parent = TraceContext::parse(record.traceparent);
  if (!parent || !parent->is_sampled) return std::nullopt;
  // Models make names up; a span's name must be one of few.
  const bool is_known = record.outcome != ToolOutcome::unknown_tool;
  Span span;
  span.context = *parent;
  span.context.span = sink->next_span_id();
  span.parent = parent->span;
  span.name = is_known ? "execute_tool " + std::string(record.tool) : "execute_tool";
  span.kind = SpanKind::internal;
  span.started = now - record.duration;
  span.ended = now;
  const auto add = [&span](const char* name, std::string_view value) {
    if (!value.empty()) span.attributes.push_back({name, std::string(value)});
  };
  add("gen_ai.operation.name", "execute_tool");
  add("gen_ai.tool.name", record.tool);
  add("gen_ai.tool.call.id", record.call_id);
  add("gen_ai.conversation.id", record.conversation);
  add("gen_ai.agent.id", record.agent.str());
  add("gen_ai.agent.name", record.agent.type());
  if (record.waited > Duration::zero()) {
    span.attributes.push_back({"parley.approval_seconds", std::chrono::duration<double>(record.waited).count()});
  }
  if (record.outcome == ToolOutcome::ok) return span;
  // The outcome says it more exactly than the catalogue; the problem's own words may hold what the tool has read.
  const std::string outcome(tools::to_string(record.outcome));
  add("error.type", outcome);
  span.error = Error(code_of(record.outcome), outcome);
  return span;
}

}  // namespace parley::host
