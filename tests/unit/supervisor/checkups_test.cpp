#include "services/supervisor/checkups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kNow{1h};
const std::vector<RunningProcess> kHr{{"hr", 77, false}};

wire::PsReport report_with(std::uint32_t pid, std::uint64_t epoch = 1) {
  wire::PsReport report;
  report.shard_epoch = epoch;
  wire::PsPeer& peer = report.peers.emplace_back();
  peer.name = "some name";
  peer.vitals.pid = pid;
  peer.vitals.executing = {"hr/alice"};
  return report;
}

wire::PsReport empty_report(std::uint64_t epoch = 1) {
  wire::PsReport report;
  report.shard_epoch = epoch;
  return report;
}

TEST(Checkups, pass_on_the_brokers_verdict_on_the_process_with_that_pid) {
  Checkups checkups;
  wire::PsReport report = report_with(77);
  report.peers[0].should_restart = true;
  report.peers[0].health_cause = "no_progress";
  report.peers[0].health_reason = "hangs";
  const auto verdicts = checkups.look(report, kHr, kNow);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].first, "hr");
  EXPECT_TRUE(verdicts[0].second.should_restart);
  EXPECT_FALSE(verdicts[0].second.is_silent);
  EXPECT_EQ(verdicts[0].second.reason, "hangs");
}

TEST(Checkups, know_missing_heartbeats_from_a_hanging_handler) {
  Checkups checkups;
  wire::PsReport report = report_with(77);
  report.peers[0].should_restart = true;
  report.peers[0].health_cause = "silence";
  EXPECT_TRUE(checkups.look(report, kHr, kNow)[0].second.is_silent);
}

TEST(Checkups, find_a_peer_without_a_pid_by_its_name) {
  Checkups checkups;
  wire::PsReport report = report_with(0);
  report.peers[0].name = "hr";
  EXPECT_EQ(checkups.look(report, kHr, kNow).size(), 1U);
}

TEST(Checkups, give_a_process_half_a_minute_to_be_seen_from_the_first_report_without_it) {
  Checkups checkups;
  EXPECT_THAT(checkups.look(empty_report(), kHr, kNow + 1h), IsEmpty());
  EXPECT_THAT(checkups.look(empty_report(), kHr, kNow + 1h + Checkups::kPatience - 1ms), IsEmpty());
  const auto verdicts = checkups.look(empty_report(), kHr, kNow + 1h + Checkups::kPatience);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_TRUE(verdicts[0].second.should_restart);
  EXPECT_TRUE(verdicts[0].second.is_silent);
}

TEST(Checkups, begin_anew_to_wait_for_the_successor_of_a_process_that_was_never_seen) {
  Checkups checkups;
  (void)checkups.look(empty_report(), kHr, kNow);
  const std::vector<RunningProcess> successor{{"hr", 78, false}};
  EXPECT_THAT(checkups.look(empty_report(), successor, kNow + Checkups::kPatience), IsEmpty());
  EXPECT_EQ(checkups.look(empty_report(), successor, kNow + 2 * Checkups::kPatience).size(), 1U);
}

TEST(Checkups, begin_anew_to_wait_for_a_pod_that_was_replaced_in_its_place) {
  Checkups checkups;
  const std::vector<RunningProcess> pod{{.name = "hr.0", .peer = "hr-5c9f-x2x7k"}};
  (void)checkups.look(empty_report(), pod, kNow);
  checkups.forget("hr.0");
  EXPECT_THAT(checkups.look(empty_report(), pod, kNow + Checkups::kPatience), IsEmpty());
}

TEST(Checkups, find_a_process_silent_that_the_broker_has_lost_for_a_while) {
  Checkups checkups;
  (void)checkups.look(report_with(77), kHr, kNow);
  EXPECT_THAT(checkups.look(empty_report(), kHr, kNow + 1s), IsEmpty()) << "it may be reconnecting";
  const auto verdicts = checkups.look(empty_report(), kHr, kNow + 2s);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_TRUE(verdicts[0].second.should_restart);
  EXPECT_TRUE(verdicts[0].second.is_silent);
}

TEST(Checkups, do_not_wait_when_the_lost_process_is_held_by_a_signal) {
  Checkups checkups;
  (void)checkups.look(report_with(77), kHr, kNow);
  const std::vector<RunningProcess> held{{"hr", 77, true}};
  EXPECT_EQ(checkups.look(empty_report(), held, kNow + 1ms).size(), 1U);
}

TEST(Checkups, find_a_process_silent_that_was_held_when_the_broker_was_restarted) {
  Checkups checkups;
  (void)checkups.look(report_with(77, 1), kHr, kNow);
  const std::vector<RunningProcess> held{{"hr", 77, true}};
  const auto verdicts = checkups.look(empty_report(2), held, kNow + 1ms);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_TRUE(verdicts[0].second.should_restart);
  EXPECT_TRUE(verdicts[0].second.is_silent);
}

TEST(Checkups, find_a_process_silent_that_is_held_before_any_broker_has_seen_it) {
  Checkups checkups;
  const std::vector<RunningProcess> held{{"hr", 77, true}};
  EXPECT_EQ(checkups.look(empty_report(), held, kNow).size(), 1U);
}

TEST(Checkups, give_everybody_time_to_come_back_to_a_restarted_broker) {
  Checkups checkups;
  (void)checkups.look(report_with(77, 1), kHr, kNow);
  EXPECT_THAT(checkups.look(empty_report(2), kHr, kNow + 1h), IsEmpty()) << "however long it was away";
  EXPECT_THAT(checkups.look(empty_report(2), kHr, kNow + 1h + Checkups::kPatience - 1ms), IsEmpty());
  EXPECT_EQ(checkups.look(empty_report(2), kHr, kNow + 1h + Checkups::kPatience).size(), 1U);
}

TEST(Checkups, forget_the_wait_for_a_process_that_has_come_back) {
  Checkups checkups;
  (void)checkups.look(empty_report(2), kHr, kNow);
  (void)checkups.look(report_with(77, 2), kHr, kNow + 29s);
  EXPECT_THAT(checkups.look(empty_report(2), kHr, kNow + 30s), IsEmpty()) << "lost for one second";
}

TEST(Checkups, do_not_take_a_new_process_for_the_lost_one) {
  Checkups checkups;
  (void)checkups.look(report_with(77), kHr, kNow);
  const std::vector<RunningProcess> successor{{"hr", 78, false}};
  EXPECT_THAT(checkups.look(empty_report(), successor, kNow + 1min), IsEmpty());
}

wire::PsReport report_of_loss(std::uint64_t incarnation, std::uint32_t pid, std::vector<std::string> executing) {
  wire::PsReport report = empty_report();
  wire::PsLoss& loss = report.losses.emplace_back();
  loss.worker = "some name";
  loss.incarnation = incarnation;
  loss.pid = pid;
  loss.executing = std::move(executing);
  return report;
}

using Finding = Checkups::Finding;

TEST(Checkups, learn_from_the_broker_what_an_ended_process_had_in_hand) {
  Checkups checkups;
  wire::PsReport report = report_with(77);
  report.peers[0].incarnation = 5;
  (void)checkups.look(report, kHr, kNow);
  checkups.inquire("hr", 77, kNow);
  EXPECT_THAT(checkups.findings(kNow), IsEmpty()) << "the broker may still tell";
  (void)checkups.look(report_of_loss(4, 77, {"hr/earlier"}), {}, kNow);
  EXPECT_THAT(checkups.findings(kNow), IsEmpty()) << "that was an earlier process";
  (void)checkups.look(report_of_loss(5, 77, {"hr/bob"}), {}, kNow);
  EXPECT_THAT(checkups.findings(kNow), ElementsAre(Finding{"hr", {"hr/bob"}}));
  EXPECT_THAT(checkups.findings(kNow + 1h), IsEmpty()) << "each is told once";
}

TEST(Checkups, fall_back_on_the_last_heartbeat_when_the_broker_does_not_tell) {
  Checkups checkups;
  (void)checkups.look(report_with(77), kHr, kNow);
  checkups.inquire("hr", 77, kNow);
  EXPECT_THAT(checkups.findings(kNow + Checkups::kInquestTime), ElementsAre(Finding{"hr", {"hr/alice"}}));
}

TEST(Checkups, take_no_heartbeat_for_a_witness_where_only_the_broker_can_tell_a_crash) {
  Checkups checkups;
  wire::PsReport report = report_with(77);
  report.peers[0].incarnation = 5;
  (void)checkups.look(report, kHr, kNow);
  checkups.inquire("hr", 77, kNow, Checkups::Witness::broker_only);
  EXPECT_THAT(checkups.findings(kNow + Checkups::kInquestTime), ElementsAre(Finding{"hr", {}}))
      << "it may have left in good order";
  checkups.inquire("hr", 77, kNow, Checkups::Witness::broker_only);
  (void)checkups.look(report_of_loss(5, 77, {"hr/bob"}), {}, kNow);
  EXPECT_THAT(checkups.findings(kNow), ElementsAre(Finding{"hr", {"hr/bob"}}));
}

TEST(Checkups, find_the_loss_of_a_process_that_ended_before_any_ps_by_its_pid) {
  Checkups checkups;
  checkups.inquire("hr", 78, kNow);
  (void)checkups.look(report_of_loss(9, 78, {"hr/bob"}), {}, kNow);
  EXPECT_THAT(checkups.findings(kNow), ElementsAre(Finding{"hr", {"hr/bob"}}));
}

TEST(Checkups, do_not_ask_the_successor_what_an_ended_process_was_executing) {
  Checkups checkups;
  (void)checkups.look(report_with(77), kHr, kNow);
  checkups.forget("hr");
  checkups.inquire("hr", 78, kNow);
  EXPECT_THAT(checkups.findings(kNow + 1h), ElementsAre(Finding{"hr", {}}));
}

TEST(Checkups, find_a_process_without_a_pid_of_its_own_by_its_name_on_the_bus) {
  Checkups checkups(30s);
  const std::vector<RunningProcess> pod{{.name = "hr.0", .peer = "hr-5c9f-x2x7k"}};
  wire::PsReport report = report_with(1);
  report.peers[0].name = "hr-5c9f-x2x7k";
  report.peers[0].should_restart = true;
  ASSERT_EQ(checkups.look(report, pod, kNow).size(), 1U);
  EXPECT_THAT(checkups.look(empty_report(), pod, kNow + 29s), IsEmpty());
  EXPECT_EQ(checkups.look(empty_report(), pod, kNow + 30s).size(), 1U);
}

}  // namespace
}  // namespace parley::supervisor
