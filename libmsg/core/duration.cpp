#include "libmsg/core/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace parley {
namespace {

// Largest first, so that formatting finds the shortest text.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::int64_t kMaxMilliseconds = std::int64_t{10'000} * 3'600'000;

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "a duration such as 250ms, 5s or 2m";
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return fail(ErrorCode::invalid, "expected " + std::string(kExpected));
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty() && count == 0) return std::chrono::milliseconds(0);
  for (const auto& [name, milliseconds] : kUnits) {
    if (unit != name) continue;
    if (count > kMaxMilliseconds / milliseconds) return fail(ErrorCode::invalid, "expected at most 10000h");
    return std::chrono::milliseconds(count * milliseconds);
  }
  return fail(ErrorCode::invalid, "expected " + std::string(kExpected));
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const auto& [name, milliseconds] : kUnits) {
    if (count % milliseconds == 0) return std::to_string(count / milliseconds).append(name);
  }
  std::unreachable();
}

}  // namespace parley
