#include "agents/sandbox/run_watch.hpp"

#include <csignal>
#include <gtest/gtest.h>

namespace parley::sandbox {
namespace {

SandboxLimits small() {
  SandboxLimits limits;
  limits.max_output_bytes = 10;
  limits.max_flood_bytes = 100;
  limits.memory_bytes = 1000;
  limits.max_processes = 4;
  limits.max_entries = 7;
  return limits;
}

TEST(RunWatch, keeps_the_beginning_of_each_stream) {
  RunWatch watch(small());
  EXPECT_EQ(watch.keep(0, 8), 8U);
  EXPECT_FALSE(watch.is_truncated());
  EXPECT_EQ(watch.keep(8, 8), 2U);
  EXPECT_TRUE(watch.is_truncated());
  EXPECT_EQ(watch.keep(10, 8), 0U);
  EXPECT_EQ(watch.keep(0, 5), 5U) << "the other stream has room of its own";
  EXPECT_EQ(watch.broken(), Limit::none);
}

TEST(RunWatch, a_flood_of_output_ends_the_code) {
  RunWatch watch(small());
  (void)watch.keep(0, 100);
  EXPECT_EQ(watch.broken(), Limit::none);
  (void)watch.keep(10, 1);
  EXPECT_EQ(watch.broken(), Limit::output);
}

TEST(RunWatch, memory_beyond_the_limit_ends_the_code) {
  RunWatch watch(small());
  watch.on_usage({1000, 1, 0});
  EXPECT_EQ(watch.broken(), Limit::none);
  watch.on_usage({1001, 1, 0});
  EXPECT_EQ(watch.broken(), Limit::memory);
}

TEST(RunWatch, too_many_files_end_the_code) {
  RunWatch watch(small());
  watch.on_usage({0, 1, 8});
  EXPECT_EQ(watch.broken(), Limit::files);
}

TEST(RunWatch, a_short_peak_of_processes_is_no_fork_bomb) {
  RunWatch watch(small());
  for (unsigned look = 1; look < RunWatch::kCrowdedLooks; ++look) watch.on_usage({0, 4, 0});
  watch.on_usage({0, 3, 0});
  EXPECT_EQ(watch.broken(), Limit::none);
  for (unsigned look = 0; look < RunWatch::kCrowdedLooks; ++look) watch.on_usage({0, 4, 0});
  EXPECT_EQ(watch.broken(), Limit::processes);
}

TEST(RunWatch, tells_processor_time_from_other_ends) {
  RunWatch failed(small());
  failed.on_exit(1);
  EXPECT_EQ(failed.broken(), Limit::none);
  RunWatch slow(small());
  slow.on_exit(128 + SIGXCPU);
  EXPECT_EQ(slow.broken(), Limit::cpu_time);
}

TEST(RunWatch, the_first_limit_that_was_broken_is_the_reason) {
  RunWatch watch(small());
  watch.on_wall_time();
  watch.on_usage({5000, 1, 0});
  EXPECT_EQ(watch.broken(), Limit::wall_time);
}

}  // namespace
}  // namespace parley::sandbox
