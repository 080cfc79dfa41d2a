#include "services/cli/suite/ledger_folder.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <string>

namespace parley::cli {
namespace {

/// Sets a variable and puts back what was there.
class SetVariable {
 public:
  SetVariable(std::string name, const char* value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    set(value);
  }
  SetVariable(const SetVariable&) = delete;
  SetVariable& operator=(const SetVariable&) = delete;
  ~SetVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(const char* value) const {
    if (value == nullptr) {
      ::unsetenv(name_.c_str());
    } else {
      ::setenv(name_.c_str(), value, 1);
    }
  }
  std::string name_;
  std::optional<std::string> before_;
};

TEST(LedgerFolder, is_the_same_for_every_run_of_a_file_and_another_for_another_file) {
  const SetVariable state("XDG_STATE_HOME", "/state");
  const auto folder = ledger_folder_of("/srv/desk/parley.yaml");
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_TRUE(folder->string().starts_with("/state/parley/ledger/desk-parley-")) << *folder;
  EXPECT_EQ(ledger_folder_of("/srv/other/../desk/./parley.yaml"), folder);
  EXPECT_NE(ledger_folder_of("/srv2/desk/parley.yaml"), folder);
}

TEST(LedgerFolder, is_in_the_home_folder_by_default) {
  const SetVariable state("XDG_STATE_HOME", "relative/is/ignored");
  const SetVariable home("HOME", "/home/ada");
  const auto folder = ledger_folder_of("/srv/desk/parley.yaml");
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_TRUE(folder->string().starts_with("/home/ada/.local/state/parley/ledger/")) << *folder;
}

TEST(LedgerFolder, is_not_made_up_where_nothing_is_kept) {
  const SetVariable state("XDG_STATE_HOME", nullptr);
  const SetVariable home("HOME", nullptr);
  const auto folder = ledger_folder_of("/srv/desk/parley.yaml");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::bad_configuration);
}

}  // namespace
}  // namespace parley::cli
