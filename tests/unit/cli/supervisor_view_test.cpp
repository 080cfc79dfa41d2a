#include "services/cli/supervisor_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

messages::SupervisorReport report_of(const std::string& state, std::uint64_t restarts) {
  messages::SupervisorReport report;
  report.node = "local";
  messages::SupervisedProcess& process = report.processes.emplace_back();
  process.name = "hr";
  process.state = state;
  process.restarts = restarts;
  process.reason = "signal 9 (Killed)";
  return report;
}

std::string text_of(const messages::SupervisorReport& report) {
  std::string text;
  for (const std::string& line : render_supervisors({report}, 80)) text += line + "\n";
  return text;
}

TEST(SupervisorView, says_one_line_when_all_is_well) {
  EXPECT_EQ(text_of(report_of("running", 0)), "supervisor 'local': 1 process, all running, none restarted\n");
}

TEST(SupervisorView, shows_who_was_restarted_and_why) {
  EXPECT_THAT(text_of(report_of("running", 3)), HasSubstr("hr       running         3  signal 9 (Killed)"));
}

TEST(SupervisorView, says_when_the_next_start_is) {
  messages::SupervisorReport report = report_of("waiting", 3);
  report.processes[0].next_start_ms = 1500;
  EXPECT_THAT(text_of(report), HasSubstr("next start in 1.5 s"));
}

TEST(SupervisorView, finds_nodes_by_the_names_of_supervisors_and_of_nobody_else) {
  wire::PsReport report;
  report.peers.resize(3);
  report.peers[0].name = "supervisor/local";
  report.peers[0].types = {"sys.supervisor"};
  report.peers[1].name = "supervisor/fake";
  report.peers[2].name = "hr";
  report.peers[2].types = {"hr"};
  EXPECT_THAT(supervisor_nodes(report), ElementsAre("local"));
}

}  // namespace
}  // namespace parley::cli
