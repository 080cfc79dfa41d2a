// Spans as an ExportTraceServiceRequest of OTLP in its JSON form.
// Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley::telemetry {

/// Who the spans are from: `service.name` and more.
using Resource = std::vector<std::pair<std::string, std::string>>;

/// Unix time at a moment of the monotonic clock, by which spans are dated.
struct WallAnchor {
  TimePoint at;
  std::int64_t unix_ns = 0;

  [[nodiscard]] std::int64_t unix_ns_of(TimePoint time) const { return unix_ns + (time - at).count(); }
};

/// Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_otlp_json(const Resource& resource, std::span<const Span> spans, const WallAnchor& anchor);

}  // namespace parley::telemetry
