// A W3C trace context for a message that shall be traced. Pure but for the random numbers it is given.
// Source: https://www.w3.org/TR/trace-context/#traceparent-header
#pragma once

#include <string>

#include "libmsg/core/random.hpp"
#include "libmsg/runtime/messenger.hpp"

namespace parley::cli {

struct TraceContext {
  std::string id;           ///< 32 hex digits; what `parley trace` takes
  std::string traceparent;  ///< the attribute

  [[nodiscard]] static TraceContext make(Random& random);
};

/// Makes the call traced under `trace`.
void set_traced(CallOptions& options, const TraceContext& trace);

/// So many random hex digits; for names that must not collide.
[[nodiscard]] std::string random_hex(Random& random, std::size_t digits);

}  // namespace parley::cli
