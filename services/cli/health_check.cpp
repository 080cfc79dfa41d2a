#include "services/cli/health_check.hpp"

#include <algorithm>
#include <charconv>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/ids.hpp"

namespace parley::cli {
namespace {

void raise(HealthVerdict& verdict, HealthLevel level, std::string finding) {
  verdict.level = std::max(verdict.level, level);
  verdict.findings.push_back(std::move(finding));
}

void check_required(HealthVerdict& verdict, const wire::PsReport& report, const RequiredType& required) {
  std::uint32_t workers = 0;
  for (const wire::PsType& type : report.types) {
    if (type.name == required.name) workers = type.workers;
  }
  if (workers == 0) {
    raise(verdict, HealthLevel::critical, fmt::format("no worker for agent type '{}'", required.name));
  } else if (workers < required.workers) {
    raise(verdict, HealthLevel::warning,
          fmt::format("agent type '{}' has {} of {} workers", required.name, workers, required.workers));
  }
}

}  // namespace

std::string_view to_string(HealthLevel level) {
  switch (level) {
    case HealthLevel::good:
      return "OK";
    case HealthLevel::warning:
      return "WARNING";
    case HealthLevel::critical:
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

HealthVerdict judge(const wire::PsReport& report, std::uint64_t dead_letters, const HealthLimits& limits) {
  HealthVerdict verdict;
  std::uint64_t parked = 0;
  std::uint64_t types = 0;
  for (const wire::PsType& type : report.types) {
    parked += type.parked;
    if (type.workers > 0) ++types;
  }
  const auto workers =
      std::count_if(report.peers.begin(), report.peers.end(), [](const auto& peer) { return !peer.types.empty(); });

  for (const RequiredType& required : limits.required) check_required(verdict, report, required);
  if (limits.max_dead_letters && dead_letters > *limits.max_dead_letters) {
    raise(verdict, HealthLevel::warning,
          fmt::format("{} dead letters, more than {}", dead_letters, *limits.max_dead_letters));
  }
  if (limits.max_parked && parked > *limits.max_parked) {
    raise(verdict, HealthLevel::warning,
          fmt::format("{} messages wait for a worker, more than {}", parked, *limits.max_parked));
  }
  if (report.is_recovering) raise(verdict, HealthLevel::warning, "the broker is recovering after a restart");
  verdict.summary =
      fmt::format("{} workers, {} agent types, {} dead letters, {} parked", workers, types, dead_letters, parked);
  return verdict;
}

}  // namespace parley::cli
