#include "broker/shell/state_dir.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace parley::broker {
namespace {

class StateDirTest : public ::testing::Test {
 protected:
  /// A run of the broker: opens the directory, does something, ends.
  template <class Act>
  void run(Act act) {
    auto state = StateDir::open(path_);
    ASSERT_TRUE(state.has_value()) << state.error().message;
    act(*state);
  }
  void damage(const std::string& name) { std::ofstream(path_ + "/" + name) << "what is this?\n"; }
  void expect_refused(const std::string& name) {
    const auto state = StateDir::open(path_);
    ASSERT_FALSE(state.has_value());
    EXPECT_EQ(state.error().code, ErrorCode::bad_configuration);
    EXPECT_NE(state.error().message.find(path_ + "/" + name), std::string::npos) << state.error().message;
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_.path().string();
};

TEST_F(StateDirTest, raises_the_epoch_with_each_run) {
  run([](const StateDir& state) {
    EXPECT_EQ(state.shard_epoch(), 1U);
    EXPECT_FALSE(state.is_restart());
  });
  run([](const StateDir& state) {
    EXPECT_EQ(state.shard_epoch(), 2U);
    EXPECT_TRUE(state.is_restart());
  });
}

TEST_F(StateDirTest, brings_back_the_roster_the_quarantines_and_the_drains) {
  run([](StateDir& state) {
    ASSERT_TRUE(state.save_roster({3, 18446744073709551615U}).has_value());
    ASSERT_TRUE(state.save_quarantines({{"hr/a \"b\"", "two crashes", 12, 5, "ann"}}).has_value());
    ASSERT_TRUE(state.save_drains({7, 18446744073709551615U}).has_value());
  });
  run([](const StateDir& state) {
    EXPECT_EQ(state.roster(), (std::vector<std::uint64_t>{3, 18446744073709551615U}));
    ASSERT_EQ(state.quarantines().size(), 1U);
    EXPECT_EQ(state.quarantines()[0].key, "hr/a \"b\"");
    EXPECT_EQ(state.quarantines()[0].since_ms, 12U);
    EXPECT_EQ(state.quarantines()[0].by, "ann");
    EXPECT_EQ(state.drains(), (std::vector<std::uint64_t>{7, 18446744073709551615U}));
  });
}

TEST_F(StateDirTest, that_is_in_use_is_refused) {
  run([this](const StateDir&) {
    const auto second = StateDir::open(path_);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message.find("in use"), std::string::npos);
  });
}

TEST_F(StateDirTest, with_a_damaged_file_stops_the_broker_and_names_the_file) {
  for (const std::string name : {"epoch", "quarantines", "drains"}) {
    damage(name);
    expect_refused(name);
    std::filesystem::remove(path_ + "/" + name);
  }
}

TEST_F(StateDirTest, in_memory_keeps_nothing) {
  StateDir state = StateDir::in_memory(WallTime(std::chrono::seconds(1000)));
  EXPECT_EQ(state.shard_epoch(), 1000U);
  EXPECT_TRUE(state.save_drains({1}).has_value());
  EXPECT_TRUE(state.drains().empty());
}

}  // namespace
}  // namespace parley::broker
