#include "services/cli/health_check.hpp"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

wire::PsReport report_with(std::uint32_t hr_workers, std::uint64_t parked = 0) {
  wire::PsReport report;
  report.types.push_back({.name = "hr", .workers = hr_workers, .parked = parked});
  return report;
}

TEST(HealthCheck, is_good_when_nothing_is_required) {
  EXPECT_EQ(judge(report_with(0), 5, {}).level, HealthLevel::good);
}

TEST(HealthCheck, a_required_type_without_a_worker_is_critical) {
  HealthLimits limits;
  limits.required.push_back({"hr", 1});
  EXPECT_EQ(judge(report_with(0), 0, limits).level, HealthLevel::critical);
  EXPECT_EQ(judge({}, 0, limits).level, HealthLevel::critical);
  EXPECT_EQ(judge(report_with(1), 0, limits).level, HealthLevel::good);
}

TEST(HealthCheck, fewer_workers_than_required_is_a_warning) {
  HealthLimits limits;
  limits.required.push_back({"hr", 2});
  EXPECT_EQ(judge(report_with(1), 0, limits).level, HealthLevel::warning);
}

TEST(HealthCheck, a_number_at_its_limit_is_good_and_above_it_a_warning) {
  const HealthLimits limits{{}, 3, 7};
  EXPECT_EQ(judge(report_with(1, 7), 3, limits).level, HealthLevel::good);
  EXPECT_EQ(judge(report_with(1, 7), 4, limits).level, HealthLevel::warning);
  EXPECT_EQ(judge(report_with(1, 8), 3, limits).level, HealthLevel::warning);
}

TEST(HealthCheck, the_worst_finding_decides_and_none_is_left_out) {
  HealthLimits limits{{}, 0, std::nullopt};
  limits.required.push_back({"hr", 1});
  const auto verdict = judge(report_with(0), 1, limits);
  EXPECT_EQ(verdict.level, HealthLevel::critical);
  EXPECT_EQ(verdict.findings.size(), 2U);
}

TEST(HealthCheck, a_recovering_broker_is_a_warning) {
  auto report = report_with(1);
  report.is_recovering = true;
  EXPECT_EQ(judge(report, 0, {}).level, HealthLevel::warning);
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
