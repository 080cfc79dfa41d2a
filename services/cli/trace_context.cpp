#include "services/cli/trace_context.hpp"

#include <spdlog/fmt/fmt.h>

#include "libmsg/wire/envelope.hpp"

namespace parley::cli {

TraceContext TraceContext::make(Random& random) {
  TraceContext trace;
  trace.id = random_hex(random, 32);
  trace.traceparent = fmt::format("00-{}-{}-01", trace.id, random_hex(random, 16));
  return trace;
}

void set_traced(CallOptions& options, const TraceContext& trace) {
  options.is_traced = true;
  options.attributes.emplace_back(wire::attribute::kTraceparent, trace.traceparent);
}

std::string random_hex(Random& random, std::size_t digits) {
  std::string text;
  while (text.size() < digits) text += fmt::format("{:016x}", random.next());
  text.resize(digits);
  return text;
}

}  // namespace parley::cli
