// The span of one call of a tool, as OpenTelemetry's conventions for generative AI describe it (`execute_tool`).
// Arguments and results are never in it. Values; any thread.
#pragma once

#include <optional>

#include "agents/tools/tool_record.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley::host {

/// Of a call that ended at `now`; its time is that of the tool itself, without a person's. nullopt when there is no
/// sink, or the call belongs to no sampled trace.
[[nodiscard]] std::optional<Span> make_tool_span(SpanSink* sink, const tools::ToolRecord& record, TimePoint now);

}  // namespace parley::host
