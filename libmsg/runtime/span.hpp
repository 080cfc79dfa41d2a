// Spans: what took how long on whose behalf, for OpenTelemetry collectors. The runtime records the turns of its agents
// and the calls that they make, when somebody has given it a SpanSink; models and tools record theirs beside it.
// Names and attributes follow OpenTelemetry's conventions for messaging and for generative AI.
// Values, and an interface of the loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/trace_context.hpp"

namespace parley {

/// OTLP's numbers.
enum class SpanKind : std::uint8_t { internal = 1, client = 3, producer = 4, consumer = 5 };

struct SpanAttribute {
  using Value = std::variant<std::string, std::int64_t, double, std::vector<std::string>>;
  std::string name;
  Value value;
  friend bool operator==(const SpanAttribute&, const SpanAttribute&) = default;
};

struct Span {
  TraceContext context;      ///< its own
  std::uint64_t parent = 0;  ///< span; 0: the trace begins here
  std::string name;
  SpanKind kind = SpanKind::internal;
  TimePoint started;
  TimePoint ended;
  std::vector<SpanAttribute> attributes;
  std::optional<Error> error;  ///< unset: it went well
};

class SpanSink {
 public:
  SpanSink() = default;
  SpanSink(const SpanSink&) = delete;
  SpanSink& operator=(const SpanSink&) = delete;
  virtual ~SpanSink() = default;

  /// A context for a trace that begins here, with the decision whether it is sampled.
  [[nodiscard]] virtual TraceContext begin_trace() = 0;
  /// For a new span; never 0.
  [[nodiscard]] virtual std::uint64_t next_span_id() = 0;
  /// Takes a finished span. Never blocks: what it has no room for is dropped and counted.
  virtual void record(Span span) = 0;
};

/// A span under way.
struct OpenSpan {
  Span span;
  std::shared_ptr<SpanSink> sink;  ///< shared: a call may outlive the runtime's own interest in spans
  const Clock& clock;              ///< the host's, which the host keeps alive

  void end(std::optional<Error> error) {
    span.ended = clock.now();
    span.error = std::move(error);
    sink->record(std::move(span));
  }
};

}  // namespace parley
