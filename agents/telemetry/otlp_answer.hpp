// What a collector's answer to an export means.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::telemetry {

struct OtlpAnswer {
  enum class Kind : std::uint8_t {
    taken,    ///< except for `rejected` spans
    later,    ///< try again, not before `retry_after`
    refused,  ///< and the same would be refused again
  };
  Kind kind = Kind::taken;
  std::uint64_t rejected = 0;
  std::optional<std::chrono::seconds> retry_after;
  std::string reason;  ///< for people; empty when all went well
};

[[nodiscard]] OtlpAnswer read_otlp_answer(int status, std::string_view retry_after, const std::string& body);

}  // namespace parley::telemetry
