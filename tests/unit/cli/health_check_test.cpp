#include "services/cli/health_check.hpp"

#include <gtest/gtest.h>

#include "libmsg/core/random.hpp"
#include "services/cli/temporary_type.hpp"

namespace parley::cli {
namespace {

wire::PsReport report_with(std::uint32_t hr_workers, std::uint64_t parked = 0) {
  wire::PsReport report;
  report.types.push_back({.name = "hr", .workers = hr_workers, .parked = parked});
  return report;
}

TEST(HealthCheck, is_good_when_nothing_is_required) { EXPECT_EQ(judge(report_with(0), 5, {}).level, CheckLevel::good); }

TEST(HealthCheck, a_required_type_without_a_worker_is_critical) {
  CheckLimits limits;
  limits.required.push_back({"hr", 1});
  EXPECT_EQ(judge(report_with(0), 0, limits).level, CheckLevel::critical);
  EXPECT_EQ(judge({}, 0, limits).level, CheckLevel::critical);
  EXPECT_EQ(judge(report_with(1), 0, limits).level, CheckLevel::good);
}

TEST(HealthCheck, fewer_workers_than_required_is_a_warning) {
  CheckLimits limits;
  limits.required.push_back({"hr", 2});
  EXPECT_EQ(judge(report_with(1), 0, limits).level, CheckLevel::warning);
}

TEST(HealthCheck, an_unhealthy_type_is_critical_when_it_is_required_and_else_a_warning) {
  wire::PsReport report = report_with(1);
  report.types[0].health = "unhealthy";
  report.types[0].health_reason = "5 failures in a row";
  EXPECT_EQ(judge(report, 0, {}).level, CheckLevel::warning);
  CheckLimits limits;
  limits.required.push_back({"hr", 1});
  const CheckVerdict verdict = judge(report, 0, limits);
  EXPECT_EQ(verdict.level, CheckLevel::critical);
  EXPECT_EQ(verdict.findings.at(0), "agent type 'hr' is unhealthy: 5 failures in a row");
  report.types[0].health = "degraded";
  EXPECT_EQ(judge(report, 0, limits).level, CheckLevel::warning);
}

TEST(HealthCheck, a_known_type_without_a_worker_is_a_warning_and_told_once) {
  wire::PsReport report = report_with(0);
  report.types[0].health = "stopped";
  report.types[0].health_reason = "no worker hosts it now";
  const CheckVerdict verdict = judge(report, 0, {});
  EXPECT_EQ(verdict.level, CheckLevel::warning);
  ASSERT_EQ(verdict.findings.size(), 1U);
  EXPECT_EQ(verdict.findings[0], "no worker for agent type 'hr'");
  CheckLimits limits;
  limits.required.push_back({"hr", 1});
  EXPECT_EQ(judge(report, 0, limits).level, CheckLevel::critical);
  EXPECT_EQ(judge(report, 0, limits).findings.size(), 1U);
}

TEST(HealthCheck, nobody_misses_the_type_of_a_command_that_was_killed) {
  SeededRandom random{1};
  for (const Temporary purpose : {Temporary::bench, Temporary::chat, Temporary::events, Temporary::subscriber}) {
    wire::PsReport report = report_with(0);
    report.types[0].name = temporary_type(purpose, random);
    report.types[0].health = "stopped";
    EXPECT_EQ(judge(report, 0, {}).level, CheckLevel::good) << report.types[0].name;
  }
  EXPECT_FALSE(is_temporary_type("chat-desk"));
  EXPECT_FALSE(is_temporary_type("hr-0123456789ab"));
}

TEST(HealthCheck, a_quarantined_type_is_found_with_or_without_a_worker) {
  for (const std::uint32_t workers : {0U, 1U}) {
    wire::PsReport report = report_with(workers);
    report.types[0].health = "quarantined";
    report.types[0].health_reason = "answers nonsense";
    const CheckVerdict verdict = judge(report, 0, {});
    EXPECT_EQ(verdict.level, CheckLevel::warning);
    EXPECT_EQ(verdict.findings.at(0), "agent type 'hr' is quarantined: answers nonsense");
  }
}

TEST(HealthCheck, a_quarantined_agent_is_a_warning) {
  wire::PsReport report = report_with(1);
  report.quarantines.push_back({.key = "hr/alice", .reason = "two crashes"});
  const CheckVerdict verdict = judge(report, 0, {});
  EXPECT_EQ(verdict.level, CheckLevel::warning);
  EXPECT_EQ(verdict.findings.at(0), "agent 'hr/alice' is quarantined: two crashes");
}

TEST(HealthCheck, a_number_at_its_limit_is_good_and_above_it_a_warning) {
  const CheckLimits limits{{}, 3, 7};
  EXPECT_EQ(judge(report_with(1, 7), 3, limits).level, CheckLevel::good);
  EXPECT_EQ(judge(report_with(1, 7), 4, limits).level, CheckLevel::warning);
  EXPECT_EQ(judge(report_with(1, 8), 3, limits).level, CheckLevel::warning);
}

TEST(HealthCheck, the_worst_finding_decides_and_none_is_left_out) {
  CheckLimits limits{{}, 0, std::nullopt};
  limits.required.push_back({"hr", 1});
  const auto verdict = judge(report_with(0), 1, limits);
  EXPECT_EQ(verdict.level, CheckLevel::critical);
  EXPECT_EQ(verdict.findings.size(), 2U);
}

TEST(HealthCheck, a_recovering_broker_is_a_warning) {
  auto report = report_with(1);
  report.is_recovering = true;
  EXPECT_EQ(judge(report, 0, {}).level, CheckLevel::warning);
}

TEST(RequiredType, reads_a_name_with_or_without_a_number) {
  EXPECT_EQ(RequiredType::parse("hr")->workers, 1U);
  EXPECT_EQ(RequiredType::parse("hr=3")->workers, 3U);
}

TEST(RequiredType, refuses_what_is_no_name_or_no_number) {
  for (const auto* text : {"", "=1", "hr=", "hr=0", "hr=x", "hr=1x", "h r"})
    EXPECT_FALSE(RequiredType::parse(text)) << text;
}

}  // namespace
}  // namespace parley::cli
