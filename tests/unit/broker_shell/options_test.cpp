#include "broker/shell/options.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace parley::broker {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class BrokerOptionsTest : public ::testing::Test {
 protected:
  std::expected<BrokerOptions, config::EarlyExit> read(std::initializer_list<const char*> flags) {
    std::vector<const char*> words{"parley-broker"};
    words.insert(words.end(), flags);
    return read_options(static_cast<int>(words.size()), words.data());
  }
  std::expected<BrokerOptions, config::EarlyExit> read_file(const std::string& yaml,
                                                            std::initializer_list<const char*> flags = {}) {
    const std::string file = (folder_ / "b.yaml").string();
    std::ofstream(file) << yaml;
    std::vector<const char*> words{"parley-broker", "--config", file.c_str()};
    words.insert(words.end(), flags);
    return read_options(static_cast<int>(words.size()), words.data());
  }

  test::TemporaryFolder folder_;
};

TEST_F(BrokerOptionsTest, names_line_and_key_of_everything_that_is_wrong_in_the_file_at_once) {
  const auto options = read_file(
      "listen: [nonsense, 'tcp://192.0.2.1:7700']\n"
      "log_level: loud\n"
      "log_format: xml\n"
      "metrics_address: localhost\n"
      "heartbeat_interval: 5s\n"
      "session_timeout: 6s\n"
      "max_types: 0\n"
      "lissen: x\n");
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().status, 2);
  for (const char* part :
       {"b.yaml:1: listen: endpoint 'nonsense': expected ipc://", "b.yaml:1: listen: endpoint 'tcp://192.0.2.1:7700': ",
        "b.yaml:2: log_level: 'loud': expected one of error, warn, info, debug, off",
        "b.yaml:3: log_format: 'xml': expected one of text, json", "b.yaml:4: metrics_address: 'localhost': ",
        "b.yaml:6: session_timeout: '6s': expected a session_timeout of at least twice heartbeat_interval",
        "b.yaml:7: max_types: '0': ", "b.yaml:8: lissen: unknown key (did you mean 'listen'?)"}) {
    EXPECT_THAT(options.error().text, HasSubstr(part));
  }
  EXPECT_THAT(options.error().text, Not(HasSubstr("error: --"))) << "a file has keys, not flags";
}

TEST_F(BrokerOptionsTest, names_every_flag_that_is_wrong_at_once) {
  const auto options = read({"--listen", "nonsense", "--log-level", "loud", "--log-format", "xml", "--metrics-address",
                             "0.0.0.0", "--session-timeout", "1s", "--heartbeat-interval", "1s"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().status, 2);
  for (const char* flag : {"--listen", "--log-level", "--log-format", "--metrics-address", "--session-timeout"}) {
    EXPECT_THAT(options.error().text, HasSubstr(std::string("error: ") + flag + ": "));
  }
}

TEST_F(BrokerOptionsTest, a_flag_wins_over_the_file) {
  const auto options = read_file(
      "listen: ipc:///tmp/p/a.sock\nlog_level: debug\nlog_format: json\nmax_types: 7\nmetrics_port: 1\n"
      "session_timeout: 40s\n",
      {"--listen", "ipc:///tmp/p/b.sock", "--log-level", "error", "--max-types", "8", "--metrics-port", "2"});
  ASSERT_TRUE(options) << options.error().text;
  ASSERT_EQ(options->listen.size(), 1U);
  EXPECT_EQ(options->listen.front().host, "/tmp/p/b.sock");
  EXPECT_EQ(options->log.level, "error");
  EXPECT_EQ(options->log.format, "json");
  EXPECT_EQ(options->core.max_types, 8U);
  EXPECT_EQ(options->metrics_port, 2);
  EXPECT_EQ(options->core.recovery_window, seconds(32)) << "a worker's lease, unless it is set";
}

TEST_F(BrokerOptionsTest, a_flag_mends_a_timeout_that_does_not_fit_the_files_interval) {
  EXPECT_TRUE(read_file("heartbeat_interval: 10s\n", {"--session-timeout", "30s"}));
  EXPECT_FALSE(read_file("heartbeat_interval: 10s\n", {"--session-timeout", "11s"}));
}

TEST_F(BrokerOptionsTest, metrics_beyond_this_machine_need_insecure) {
  const auto refused = read({"--metrics-address", "0.0.0.0", "--metrics-port", "0"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, AllOf(HasSubstr("--metrics-address"), HasSubstr("--insecure")));
  EXPECT_TRUE(read({"--metrics-address", "0.0.0.0", "--metrics-port", "0", "--insecure"}));
  const auto of_file = read_file("# page\nmetrics_address: 192.0.2.7\n");
  ASSERT_FALSE(of_file);
  EXPECT_THAT(of_file.error().text, HasSubstr("b.yaml:2: metrics_address: '192.0.2.7': "));
  const auto allowed = read_file("insecure: true\nmetrics_address: 192.0.2.7\n");
  ASSERT_TRUE(allowed) << allowed.error().text;
  EXPECT_TRUE(allowed->is_insecure_allowed);
}

TEST_F(BrokerOptionsTest, an_empty_file_is_told_once) {
  const auto options = read_file("");
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().text, HasSubstr("the file is empty"));
}

}  // namespace
}  // namespace parley::broker
