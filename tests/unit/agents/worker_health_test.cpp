// What a worker's health pages answer, and what it may use.
#include "agents/host/worker_health.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/host/memory_limit.hpp"
#include "tests/support/temporary_folder.hpp"

namespace parley::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimePoint kStarted{1h};

wire::WorkerVitals well() {
  wire::WorkerVitals vitals;
  vitals.has_been_ready = true;
  return vitals;
}

TEST(WorkerHealth, is_ready_with_a_connection_and_until_it_is_told_to_stop) {
  WorkerHealth health(kStarted);
  EXPECT_THAT(health.is_ready(well()), HasSubstr("no connection"));
  health.set_connected(true);
  EXPECT_THAT(health.is_ready(well()), IsEmpty());
  health.set_stopping();
  EXPECT_THAT(health.is_ready(well()), HasSubstr("stopping"));
}

TEST(WorkerHealth, is_not_ready_while_it_starts) {
  WorkerHealth health(kStarted);
  health.set_connected(true);
  wire::WorkerVitals vitals = well();
  vitals.has_been_ready = false;
  EXPECT_NE(health.is_ready(vitals), "");
}

TEST(WorkerHealth, is_not_ready_when_unhealthy_and_says_why) {
  WorkerHealth health(kStarted);
  health.set_connected(true);
  wire::WorkerVitals vitals = well();
  vitals.rss_bytes = 3U << 20U;
  vitals.memory_limit_bytes = 2U << 20U;
  EXPECT_THAT(health.is_ready(vitals), HasSubstr("memory"));
}

TEST(WorkerHealth, is_ready_when_only_degraded) {
  WorkerHealth health(kStarted);
  health.set_connected(true);
  wire::WorkerVitals vitals = well();
  vitals.rss_bytes = 95U << 20U;
  vitals.memory_limit_bytes = 100U << 20U;
  EXPECT_THAT(health.is_ready(vitals), IsEmpty());
}

TEST(WorkerHealth, is_live_as_long_as_its_loop_comes_round) {
  WorkerHealth health(kStarted);
  EXPECT_THAT(health.is_live(kStarted + 1s), IsEmpty());
  EXPECT_NE(health.is_live(kStarted + 1min), "");
  health.beat(kStarted + 1min);
  EXPECT_THAT(health.is_live(kStarted + 1min), IsEmpty());
}

/// A file as cgroup v2 has it.
class MemoryLimit : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t of(const std::string& text) const {
    std::ofstream(folder_ / "memory.max") << text;
    return default_memory_limit(folder_ / "memory.max");
  }
  test::TemporaryFolder folder_;
};

TEST_F(MemoryLimit, is_most_of_what_the_container_has) { EXPECT_EQ(of("268435400\n"), 241591860U); }

TEST_F(MemoryLimit, is_none_without_a_number) {
  EXPECT_EQ(of("max\n"), 0U);
  EXPECT_EQ(of(""), 0U);
  EXPECT_EQ(default_memory_limit(folder_ / "not-there"), 0U);
}

}  // namespace
}  // namespace parley::host
