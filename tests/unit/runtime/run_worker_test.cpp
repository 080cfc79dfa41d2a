#include "libmsg/runtime/run_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <spdlog/spdlog.h>
#include <string>
#include <vector>

namespace parley {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Task<Result<>> no_agents(Runtime& /*runtime*/) { co_return Result<>{}; }

struct RunWorkerTest : testing::Test {
  /// The exit code; what was printed is in `out` and `err`.
  int run(std::initializer_list<std::string> flags) {
    std::vector<std::string> words{"/opt/shop/greeter"};
    words.insert(words.end(), flags);
    std::vector<char*> pointers;
    pointers.reserve(words.size());
    for (std::string& word : words) pointers.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_worker(static_cast<int>(pointers.size()), pointers.data(), "greeter", no_agents);
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return code;
  }

  std::shared_ptr<spdlog::logger> log = spdlog::default_logger();
  ~RunWorkerTest() override { spdlog::set_default_logger(log); }

  std::string out;
  std::string err;
};

TEST_F(RunWorkerTest, help_names_every_flag_and_needs_no_broker) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out, AllOf(StartsWith("Usage: greeter [OPTIONS]\n"), HasSubstr("--broker ENDPOINT"),
                         HasSubstr("--timeout TIME"), HasSubstr("--insecure"), HasSubstr("--log-level LEVEL")));
  EXPECT_EQ(err, "");
}

TEST_F(RunWorkerTest, version_is_that_of_parley) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out, "greeter (parley " PARLEY_VERSION ")\n");
}

TEST_F(RunWorkerTest, wrong_flags_are_one_line_and_exit_2) {
  for (const auto& [flags, part] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--nonsense"}, "unknown argument '--nonsense' (see greeter --help)"},
           {{"--broker"}, "--broker needs a value"},
           {{"--timeout", "soon"}, "--timeout: 'soon'"},
           {{"--timeout=0"}, "--timeout: '0'"},
           {{"--log-level", "loud"}, "--log-level: 'loud': expected error, warn, info, debug or off"},
           {{"--broker", "tcp://192.0.2.1:1"}, "--insecure"}}) {
    SCOPED_TRACE(part);
    EXPECT_EQ(flags.size() == 1 ? run({flags[0]}) : run({flags[0], flags[1]}), 2);
    EXPECT_THAT(err, AllOf(StartsWith("error: bad_configuration: "), HasSubstr(part)));
    EXPECT_EQ(out, "");
  }
}

TEST_F(RunWorkerTest, an_unreachable_broker_is_told_with_its_endpoint_and_exit_3) {
  EXPECT_EQ(run({"--broker=ipc:///nonexistent/broker.sock", "--timeout", "20ms", "--log-level", "off"}), 3);
  EXPECT_EQ(err,
            "error: unreachable: no broker answers at ipc:///nonexistent/broker.sock within 20ms (is one running? try: "
            "parley up)\n");
  EXPECT_EQ(out, "");
}

TEST_F(RunWorkerTest, logs_levels_by_the_names_of_its_flag) {
  EXPECT_EQ(run({"--broker=ipc:///nonexistent/broker.sock", "--timeout", "20ms", "--log-level=info"}), 3);
  testing::internal::CaptureStderr();
  spdlog::warn("event=slow");
  spdlog::info("event=seen");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex("2[0-9-]+T[0-9:.]+Z warn event=slow\n2[0-9-]+T[0-9:.]+Z info event=seen\n"));
}

}  // namespace
}  // namespace parley
