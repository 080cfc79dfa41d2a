#include "services/cli/health_check.hpp"

#include <algorithm>
#include <charconv>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/health.hpp"
#include "libmsg/core/ids.hpp"
#include "services/cli/temporary_type.hpp"

namespace parley::cli {
namespace {

void raise(CheckVerdict& verdict, CheckLevel level, std::string finding) {
  verdict.level = std::max(verdict.level, level);
  verdict.findings.push_back(std::move(finding));
}

void check_required(CheckVerdict& verdict, const wire::PsReport& report, const RequiredType& required) {
  std::uint32_t workers = 0;
  for (const wire::PsType& type : report.types) {
    if (type.name == required.name) workers = type.workers;
  }
  if (workers == 0) {
    raise(verdict, CheckLevel::critical, fmt::format("no worker for agent type '{}'", required.name));
  } else if (workers < required.workers) {
    raise(verdict, CheckLevel::warning,
          fmt::format("agent type '{}' has {} of {} workers", required.name, workers, required.workers));
  }
}

/// The broker has asked the model of health; here its word only becomes a level.
void check_health(CheckVerdict& verdict, const wire::PsReport& report, const CheckLimits& limits) {
  const auto is_required = [&](const std::string& name) {
    return std::ranges::find(limits.required, name, &RequiredType::name) != limits.required.end();
  };
  for (const wire::PsType& type : report.types) {
    const auto health = health_state_from_string(type.health);
    if (!health) continue;
    // Known, so somebody hosted it a while ago. Of a required type check_required() has said so.
    if (*health == HealthState::stopped && !is_required(type.name) && !is_temporary_type(type.name)) {
      raise(verdict, CheckLevel::warning, fmt::format("no worker for agent type '{}'", type.name));
    }
    const bool is_out = *health == HealthState::unhealthy || *health == HealthState::quarantined;
    if (!is_out && *health != HealthState::degraded) continue;
    raise(verdict, is_out && is_required(type.name) ? CheckLevel::critical : CheckLevel::warning,
          fmt::format("agent type '{}' is {}: {}", type.name, type.health, type.health_reason));
  }
  for (const wire::PsQuarantine& row : report.quarantines) {
    if (!row.key.contains('/')) continue;
    raise(verdict, CheckLevel::warning, fmt::format("agent '{}' is quarantined: {}", row.key, row.reason));
  }
}

}  // namespace

std::string_view to_string(CheckLevel level) {
  switch (level) {
    case CheckLevel::good:
      return "OK";
    case CheckLevel::warning:
      return "WARNING";
    case CheckLevel::critical:
      return "CRITICAL";
  }
  return "UNKNOWN";
}

Result<RequiredType> RequiredType::parse(std::string_view text) {
  RequiredType required;
  const auto equals = text.find('=');
  required.name = text.substr(0, equals);
  const bool has_count = equals != std::string_view::npos;
  const std::string_view count = has_count ? text.substr(equals + 1) : "1";
  const auto [end, failure] = std::from_chars(count.data(), count.data() + count.size(), required.workers);
  const bool is_number = failure == std::errc{} && end == count.data() + count.size() && required.workers > 0;
  if (!is_valid_agent_type(required.name) || !is_number) {
    return fail(ErrorCode::invalid,
                fmt::format("--require: '{}': expected an agent type, or TYPE=N with N workers", text));
  }
  return required;
}

CheckVerdict judge(const wire::PsReport& report, std::uint64_t dead_letters, const CheckLimits& limits) {
  CheckVerdict verdict;
  std::uint64_t parked = 0;
  std::uint64_t types = 0;
  for (const wire::PsType& type : report.types) {
    parked += type.parked;
    if (type.workers > 0) ++types;
  }
  const auto workers = std::ranges::count(report.peers, true, &wire::PsPeer::is_worker);

  for (const RequiredType& required : limits.required) check_required(verdict, report, required);
  check_health(verdict, report, limits);
  if (limits.max_dead_letters && dead_letters > *limits.max_dead_letters) {
    raise(verdict, CheckLevel::warning,
          fmt::format("{} dead letters, more than {}", dead_letters, *limits.max_dead_letters));
  }
  if (limits.max_parked && parked > *limits.max_parked) {
    raise(verdict, CheckLevel::warning,
          fmt::format("{} messages wait for a worker, more than {}", parked, *limits.max_parked));
  }
  if (report.is_recovering) raise(verdict, CheckLevel::warning, "the broker is recovering after a restart");
  verdict.summary =
      fmt::format("{} workers, {} agent types, {} dead letters, {} parked", workers, types, dead_letters, parked);
  return verdict;
}

}  // namespace parley::cli
