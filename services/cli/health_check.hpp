// What `parley check` thinks of a broker's report. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::cli {

/// The numbers are the exit codes that monitoring systems (Nagios and its heirs) expect.
enum class CheckLevel : int { good = 0, warning = 1, critical = 2 };
[[nodiscard]] std::string_view to_string(CheckLevel level);

struct RequiredType {
  std::string name;
  std::uint32_t workers = 1;
  /// Reads `hr` or `hr=2`. Fails with `invalid`.
  static Result<RequiredType> parse(std::string_view text);
};

struct CheckLimits {
  std::vector<RequiredType> required;
  std::optional<std::uint64_t> max_dead_letters;
  std::optional<std::uint64_t> max_parked;
};

struct CheckVerdict {
  CheckLevel level = CheckLevel::good;
  std::vector<std::string> findings;  ///< what is wrong; empty when good
  std::string summary;                ///< the numbers

  static CheckVerdict critical(std::string finding) {
    return {CheckLevel::critical, {std::move(finding)}, "no report"};
  }
};

/// Critical: a required type has no worker, or is quarantined. Warning: fewer workers than required, a type that had a
/// worker and has none now (but for those of killed commands), a number over its limit, a broker that still recovers,
/// or a worker that the broker does not find healthy (a required type's: critical when it is unhealthy).
[[nodiscard]] CheckVerdict judge(const wire::PsReport& report, std::uint64_t dead_letters, const CheckLimits& limits);

}  // namespace parley::cli
