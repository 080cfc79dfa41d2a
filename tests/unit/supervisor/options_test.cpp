#include "services/supervisor/options.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <map>

#include "tests/support/temporary_folder.hpp"

namespace parley::supervisor {
namespace {

using testing::HasSubstr;

class SupervisorOptionsTest : public ::testing::Test {
 protected:
  std::expected<ProgramOptions, config::EarlyExit> read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "parley-supervisor");
    const Surroundings around{[this](const char* name) {
                                const auto found = variables_.find(name);
                                return found == variables_.end() ? std::string() : found->second;
                              },
                              folder_.path().string()};
    return read_options(static_cast<int>(arguments.size()), arguments.data(), around);
  }
  PodSupervisorOptions pods(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "--kubernetes");
    return std::get<PodSupervisorOptions>(read(std::move(arguments)).value().mode);
  }
  void expect_wrong(const std::vector<const char*>& arguments, const std::string& part) {
    const auto options = read(arguments);
    ASSERT_FALSE(options.has_value());
    EXPECT_EQ(options.error().status, 2);
    EXPECT_THAT(options.error().text, HasSubstr(part));
  }
  void be_in_a_pod() {
    variables_ = {
        {"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "6443"}, {"PARLEY_BROKER", "tcp://b:1"}};
    std::ofstream(folder_ / "namespace") << "parley";
  }

  test::TemporaryFolder folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(SupervisorOptionsTest, in_a_pod_come_from_its_surroundings) {
  be_in_a_pod();
  const PodSupervisorOptions options = pods({});
  EXPECT_EQ(options.api.server, "https://10.96.0.1:6443");
  EXPECT_EQ(options.api.token_file, (folder_ / "token").string());
  EXPECT_EQ(options.api.ca_file, (folder_ / "ca.crt").string());
  EXPECT_EQ(options.api.name_space, "parley");
  EXPECT_EQ(options.node, "parley");
  EXPECT_EQ(options.broker, "tcp://b:1");
  EXPECT_EQ(options.policy.starter, Starter::platform);
}

TEST_F(SupervisorOptionsTest, can_be_said_outside_of_a_pod) {
  const PodSupervisorOptions options = pods({"--api-server", "http://127.0.0.1:8001", "--namespace", "n", "--node", "x",
                                             "--broker", "tcp://b:2", "--max-deletions", "2", "--window", "1m"});
  EXPECT_EQ(options.api.server, "http://127.0.0.1:8001");
  EXPECT_EQ(options.api.token_file, "");
  EXPECT_EQ(options.node, "x");
  EXPECT_EQ(options.policy.max_crashes, 2U);
  EXPECT_EQ(options.policy.crash_window, std::chrono::minutes(1));
}

TEST_F(SupervisorOptionsTest, put_an_address_of_version_six_in_brackets) {
  be_in_a_pod();
  variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(pods({}).api.server, "https://[fd00::1]:6443");
}

TEST_F(SupervisorOptionsTest, say_what_is_missing_or_wrong) {
  expect_wrong({}, "--run-dir or --kubernetes");
  expect_wrong({"--kubernetes"}, "--api-server");
  expect_wrong({"--kubernetes", "--api-server", "http://h"}, "--namespace");
  expect_wrong({"--kubernetes", "--run-dir", "/tmp"}, "--run-dir");
  expect_wrong({"--run-dir", "/tmp", "--namespace", "n"}, "--kubernetes");
  expect_wrong({"--kubernetes", "--api-server", "http://h", "--namespace", "n", "--window", "0s"}, "--window");
  expect_wrong({"--what"}, "--what");
}

TEST_F(SupervisorOptionsTest, of_a_suite_name_its_run_directory) {
  const auto options = read({"--run-dir", "/tmp/up", "--stop"});
  const auto& local = std::get<SupervisorOptions>(options.value().mode);
  EXPECT_EQ(local.folder, "/tmp/up");
  EXPECT_TRUE(local.is_stop_only);
}

}  // namespace
}  // namespace parley::supervisor
