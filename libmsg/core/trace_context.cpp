#include "libmsg/core/trace_context.hpp"

namespace parley {
namespace {

constexpr std::size_t kLength = 55;

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const bool is_decimal = digit >= '0' && digit <= '9';
    if (!is_decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    value = (value << 4U) | static_cast<std::uint64_t>(is_decimal ? digit - '0' : digit - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string span_id_text(std::uint64_t span) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; span >>= 4U) text[i] = kDigits[span & 15U];
  return text;
}

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent) {
  if (traceparent.size() < kLength) return std::nullopt;
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2);
  const bool is_longer = traceparent.size() > kLength;
  if (version == "ff" || (is_longer && (version == "00" || traceparent[kLength] != '-'))) return std::nullopt;
  const auto high = number_of(traceparent.substr(3, 16));
  const auto low = number_of(traceparent.substr(19, 16));
  const auto span = number_of(traceparent.substr(36, 16));
  const auto flags = number_of(traceparent.substr(53, 2));
  if (!number_of(version) || !high || !low || !span || !flags) return std::nullopt;
  const TraceContext context{*high, *low, *span, (*flags & 1U) != 0};
  if (!context.is_valid()) return std::nullopt;
  return context;
}

std::string TraceContext::trace_id() const { return span_id_text(trace_high) + span_id_text(trace_low); }

std::string TraceContext::str() const {
  return "00-" + trace_id() + "-" + span_id_text(span) + (is_sampled ? "-01" : "-00");
}

}  // namespace parley
