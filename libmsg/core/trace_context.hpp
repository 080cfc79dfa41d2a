// The place of a message in a trace, as the attribute `traceparent` carries it from process to process.
// Source: https://www.w3.org/TR/trace-context/#traceparent-header. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley {

struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  /// Whoever began the trace wants its spans recorded.
  bool is_sampled = false;

  /// Reads `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, lower case; later versions may have more behind it.
  /// nullopt when it is malformed or one of the ids is zero.
  static std::optional<TraceContext> parse(std::string_view traceparent);

  /// False for a default-constructed one: there is no trace.
  [[nodiscard]] bool is_valid() const { return (trace_high | trace_low) != 0 && span != 0; }
  /// As `traceparent`.
  [[nodiscard]] std::string str() const;
  /// 32 digits.
  [[nodiscard]] std::string trace_id() const;

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// 16 hex digits.
[[nodiscard]] std::string span_id_text(std::uint64_t span);

}  // namespace parley
