// The span of one call of a chat model, as OpenTelemetry's conventions for generative AI describe it. Prompts and
// answers are never in it. Values; any thread.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "agents/llm/chat_model.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley::host {

/// nullopt when there is no sink, or the call belongs to no sampled trace.
[[nodiscard]] std::optional<Span> begin_model_span(SpanSink* sink, const llm::ChatRequest& request,
                                                   const std::string& provider, const std::string& model,
                                                   TimePoint now);

[[nodiscard]] Span end_model_span(Span span, const std::expected<llm::Completion, llm::ModelError>& outcome,
                                  TimePoint now);

}  // namespace parley::host
