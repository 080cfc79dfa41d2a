// The parts of the local driver that need a file system or a process, but no time and no bus.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "services/supervisor/local/child_process.hpp"
#include "services/supervisor/local/log_tail.hpp"
#include "services/supervisor/local/suite_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace parley::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Local : public testing::Test {
 protected:
  void append(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream stream(folder_ / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] Result<ChildProcess> shell(const std::string& script) const {
    return ChildProcess::start(
        {{"/bin/sh", "-c", script}, {process_mark(folder_.path(), "child")}, folder_ / "log", false});
  }
  /// Blocks until the process has ended.
  static ProcessEnd end_of(ChildProcess& child) {
    pollfd ended{child.descriptor(), POLLIN, 0};
    constexpr int kPatienceMs = 20'000;
    EXPECT_EQ(::poll(&ended, 1, kPatienceMs), 1);
    return child.poll_end().value_or(ProcessEnd{});
  }

  test::TemporaryFolder folder_;
};

class LogTailTest : public Local {
 protected:
  std::vector<std::string> read(LogTail& log) {
    std::vector<std::string> lines;
    log.read([&](const std::string& line) { lines.push_back(line); });
    return lines;
  }
};

TEST_F(LogTailTest, hands_out_each_line_once_and_whole) {
  LogTail log(folder_ / "log", 0);
  EXPECT_THAT(read(log), IsEmpty());
  append("log", "one\ntw");
  EXPECT_THAT(read(log), ElementsAre("one"));
  append("log", "o\nthree\n");
  EXPECT_THAT(read(log), ElementsAre("two", "three"));
  EXPECT_THAT(read(log), IsEmpty());
}

TEST_F(LogTailTest, goes_on_where_an_earlier_supervisor_had_read_to) {
  append("log", "old\nnew\n");
  LogTail log(folder_ / "log", 4);
  EXPECT_THAT(read(log), ElementsAre("new"));
}

TEST_F(LogTailTest, keeps_the_last_lines_of_the_present_process) {
  LogTail log(folder_ / "log", 0);
  append("log", "of another process\n");
  (void)read(log);
  log.begin_process();
  for (int i = 0; i < 20; ++i) append("log", std::to_string(i) + "\n");
  append("log", "unfinished");
  (void)read(log);
  EXPECT_THAT(log.last_lines(), ElementsAre("12", "13", "14", "15", "16", "17", "18", "19", "unfinished"));
}

TEST_F(LogTailTest, cuts_an_endless_line) {
  LogTail log(folder_ / "log", 0);
  append("log", std::string(3 * LogTail::kMaxLineBytes, 'x'));
  EXPECT_GE(read(log).size(), 2U);
}

TEST_F(LogTailTest, moves_a_grown_file_away) {
  append("log", "x\n");
  std::filesystem::resize_file(folder_ / "log", LogTail::kMaxFileBytes + 1);
  LogTail log(folder_ / "log", LogTail::kMaxFileBytes);
  (void)read(log);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "log"), 0U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "log.1"));
  append("log", "after\n");
  EXPECT_THAT(read(log), ElementsAre(testing::EndsWith("after")));
}

TEST(ReadyLine, is_a_line_of_json_that_says_so) {
  EXPECT_TRUE(parse_ready_line(R"({"event":"ready","name":"hr"})").has_value());
  EXPECT_FALSE(parse_ready_line(R"({"event":"steady"})").has_value());
  EXPECT_FALSE(parse_ready_line("event=ready").has_value());
  EXPECT_FALSE(parse_ready_line("{broken").has_value());
}

TEST_F(Local, child_writes_to_its_log_and_tells_its_exit_code) {
  Result<ChildProcess> child = shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(end_of(*child), (ProcessEnd{ProcessEnd::Kind::exited, 3}));
  EXPECT_EQ(text_of("log"), "out\nerr\n");
}

TEST_F(Local, child_that_cannot_run_is_an_error_with_its_name) {
  const auto child = ChildProcess::start({{"/nowhere/program"}, {}, folder_ / "log", false});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(child.error().message, testing::HasSubstr("/nowhere/program"));
}

TEST_F(Local, child_inherits_no_descriptor_and_no_blocked_signal) {
  const int secret = ::open("/dev/null", 0);
  Result<ChildProcess> child =
      shell("for i in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && echo $i; done; exec grep SigBlk /proc/self/status");
  ASSERT_TRUE(child);
  (void)end_of(*child);
  ::close(secret);
  EXPECT_THAT(text_of("log"), testing::StartsWith("SigBlk:\t0000000000000000"));
}

TEST_F(Local, killed_child_takes_its_own_children_along) {
  Result<ChildProcess> child = shell("sleep 60 & echo $!; wait");
  ASSERT_TRUE(child);
  LogTail log(folder_ / "log", 0);
  std::string grandchild;
  while (grandchild.empty()) {
    log.read([&](const std::string& line) { grandchild = line; });
  }
  const ProcessId id = identify(std::stoi(grandchild));
  child->send_signal(SIGKILL);
  EXPECT_EQ(end_of(*child), (ProcessEnd{ProcessEnd::Kind::killed, SIGKILL}));
  const auto orphan = ChildProcess::adopt(id);
  if (orphan) {
    pollfd ended{orphan->descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, 20'000), 1);
  }
  EXPECT_FALSE(is_alive(id));
}

TEST_F(Local, adopted_process_is_told_from_a_later_one_with_its_number) {
  const ProcessId self = identify(::getpid());
  EXPECT_TRUE(is_alive(self));
  EXPECT_TRUE(ChildProcess::adopt(self));
  EXPECT_FALSE(ChildProcess::adopt({self.pid, self.start_time + 1}));
  EXPECT_FALSE(ChildProcess::adopt({}));
}

TEST_F(Local, child_is_found_by_its_mark) {
  Result<ChildProcess> child =
      shell("sleep 60; :");  // not replaced by sleep, which would have no environment for a moment
  ASSERT_TRUE(child);
  // The kernel shows the environment a moment after the start.
  while (find_by_environment(process_mark(folder_.path(), "child")).empty()) {
  }
  EXPECT_THAT(find_by_environment(process_mark(folder_.path(), "child")), ElementsAre(child->id()));
  EXPECT_THAT(find_by_environment(process_mark(folder_.path(), "chil")), IsEmpty());
  child->kill_group();
  (void)end_of(*child);
  EXPECT_THAT(find_by_environment(process_mark(folder_.path(), "child")), IsEmpty());
}

TEST_F(Local, held_child_is_seen_as_held) {
  Result<ChildProcess> child = shell("sleep 60");
  ASSERT_TRUE(child);
  EXPECT_FALSE(is_stopped_by_signal(child->id().pid));
  child->send_signal(SIGSTOP);
  while (!is_stopped_by_signal(child->id().pid)) {
  }
  child->kill_group();
  (void)end_of(*child);
}

TEST_F(Local, plan_comes_back_as_it_was_written) {
  SuitePlan plan;
  plan.broker = "ipc:///tmp/x";
  plan.is_insecure_allowed = true;
  plan.policy.strategy = Strategy::rest_for_one;
  plan.policy.max_crashes = 9;
  plan.policy.probe_after = std::chrono::seconds(7);
  plan.processes = {{"broker", Role::broker, {"/bin/b", "--listen"}}, {"hr", Role::worker, {"/bin/a"}}};
  plan.watcher = {"/bin/parley", "up"};
  ASSERT_TRUE(write_plan(folder_.path(), plan));
  const auto read = read_plan(folder_.path());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->broker, plan.broker);
  EXPECT_TRUE(read->is_insecure_allowed);
  EXPECT_EQ(read->policy.strategy, Strategy::rest_for_one);
  EXPECT_EQ(read->policy.max_crashes, 9U);
  EXPECT_EQ(read->policy.probe_after, Duration(std::chrono::seconds(7)));
  EXPECT_EQ(read->processes[0].role, Role::broker);
  EXPECT_EQ(read->processes[1].command, plan.processes[1].command);
  EXPECT_EQ(read->watcher, plan.watcher);
}

TEST_F(Local, broken_plan_is_an_error_that_names_the_file) {
  append(kPlanFile, R"({"node": 3})");
  const auto plan = read_plan(folder_.path());
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, testing::HasSubstr(kPlanFile));
}

TEST_F(Local, state_comes_back_as_it_was_written) {
  SuiteState state;
  state.supervisor = {12, 34};
  state.is_stopping = true;
  ProcessRecord& record = state.processes.emplace_back();
  record.id = {56, 78};
  record.view.name = "hr";
  record.view.state = ProcessState::quarantined;
  record.view.restarts = 5;
  record.view.next_start = TimePoint(std::chrono::hours(3));
  record.view.has_failed = true;
  record.log_offset = 99;
  record.metrics_port = 7701;
  record.problem = "exit code 1\n  \xff";
  state.memory.crashes = {{"hr", {std::chrono::seconds(9), std::chrono::seconds(2)}, 3, true}};
  state.memory.suspicions = {{"hr/alice", std::chrono::minutes(1), 1}};
  state.written_ms = 1'700'000'000'000;
  ASSERT_TRUE(write_state(folder_.path(), state));
  const auto read = read_state(folder_.path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->supervisor, state.supervisor);
  EXPECT_TRUE(read->is_stopping);
  EXPECT_EQ(read->processes[0].id, record.id);
  EXPECT_EQ(read->processes[0].view.state, ProcessState::quarantined);
  EXPECT_EQ(read->processes[0].view.restarts, 5U);
  EXPECT_TRUE(read->processes[0].view.next_start);
  EXPECT_EQ(read->processes[0].log_offset, 99U);
  EXPECT_EQ(read->processes[0].metrics_port, 7701U);
  EXPECT_EQ(read->memory, state.memory);
  EXPECT_EQ(read->written_ms, state.written_ms);
}

TEST(MetricsTargets, are_what_the_file_discovery_of_prometheus_reads) {
  EXPECT_EQ(targets_text("local", {{"broker", 7701}, {"hr", 7702}}),
            R"([{"labels":{"instance":"broker","node":"local"},"targets":["127.0.0.1:7701"]},)"
            R"({"labels":{"instance":"hr","node":"local"},"targets":["127.0.0.1:7702"]}])"
            "\n");
  EXPECT_EQ(targets_text("local", {}), "[]\n");
}

TEST(MetricsTargets, come_from_the_ready_line_of_each_process) {
  EXPECT_EQ(parse_ready_line(R"({"event":"ready","metrics_port":7701})")->metrics_port, 7701U);
  EXPECT_EQ(parse_ready_line(R"({"event":"ready"})")->metrics_port, 0U);
  EXPECT_EQ(parse_ready_line(R"({"event":"ready","metrics_port":"x"})")->metrics_port, 0U);
  EXPECT_EQ(parse_ready_line(R"({"event":"ready","metrics_port":70000})")->metrics_port, 0U);
}

TEST_F(Local, state_that_was_cut_off_counts_as_none) {
  append(kStateFile, R"({"supervisor":)");
  EXPECT_FALSE(read_state(folder_.path()));
}

}  // namespace
}  // namespace parley::supervisor
