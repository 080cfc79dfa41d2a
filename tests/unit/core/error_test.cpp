#include "libmsg/core/error.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace parley {
namespace {

struct Row {
  std::string name;
  bool is_retryable = false;
  friend bool operator==(const Row&, const Row&) = default;
};
using Table = std::map<int, Row>;

/// The rows `| 7 | \`overloaded\` | yes | … |` of PROTOCOL.md's section on errors.
Table documented_codes() {
  std::ifstream document(std::string(PARLEY_SOURCE_DIR) + "/libmsg/PROTOCOL.md");
  const std::regex pattern(R"(^\| (\d+) \| `([a-z_]+)` \| (yes|no) \| .+ \|$)");
  Table table;
  bool is_inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("## ")) is_inside = line.find("Errors") != std::string::npos;
    std::smatch match;
    if (is_inside && std::regex_match(line, match, pattern)) table[std::stoi(match[1])] = {match[2], match[3] == "yes"};
  }
  return table;
}

// [P-ERR-1]
TEST(ErrorCatalogue, is_the_one_that_PROTOCOL_md_lists) {
  Table table;
  for (ErrorCode code : all_error_codes()) table[static_cast<int>(code)] = {to_string(code), is_retryable(code)};
  const Table documented = documented_codes();
  EXPECT_EQ(table.size(), documented.size());
  for (const auto& [number, row] : table) {
    ASSERT_TRUE(documented.contains(number)) << number << " " << row.name << " is not in PROTOCOL.md";
    EXPECT_EQ(row.name, documented.at(number).name);
    EXPECT_EQ(row.is_retryable, documented.at(number).is_retryable) << row.name;
  }
}

TEST(ErrorCatalogue, has_ascending_numbers_and_distinct_names) {
  std::set<std::string> names;
  int last = 0;
  for (ErrorCode code : all_error_codes()) {
    EXPECT_GT(static_cast<int>(code), last);
    last = static_cast<int>(code);
    EXPECT_TRUE(names.insert(to_string(code)).second) << to_string(code);
  }
}

TEST(ErrorCatalogue, names_read_back_as_their_codes) {
  for (ErrorCode code : all_error_codes()) EXPECT_EQ(error_code_from_string(to_string(code)), code);
  EXPECT_EQ(error_code_from_string("no_such_error"), std::nullopt);
  EXPECT_EQ(error_code_from_string(""), std::nullopt);
}

// [P-ERR-2]
TEST(ErrorCatalogue, shows_a_number_of_a_newer_peer_instead_of_failing) {
  EXPECT_EQ(to_string(static_cast<ErrorCode>(999)), "error_999");
  EXPECT_EQ(to_string(static_cast<ErrorCode>(0)), "error_0");
  EXPECT_FALSE(is_retryable(static_cast<ErrorCode>(999)));
}

TEST(Error, takes_retryable_from_its_code_unless_told) {
  EXPECT_TRUE(Error(ErrorCode::overloaded, "full").retryable);
  EXPECT_FALSE(Error(ErrorCode::invalid, "bad").retryable);
  EXPECT_FALSE(Error(ErrorCode::overloaded, "full", false).retryable);
}

TEST(Error, has_details_for_programs_and_an_empty_text_for_others) {
  Error error(ErrorCode::budget_exceeded, "no room");
  error.details = {{"budget", "desk"}, {"scope", "all"}};
  EXPECT_EQ(error.detail("budget"), "desk");
  EXPECT_EQ(error.detail("subject"), "");
  EXPECT_NE(error, Error(ErrorCode::budget_exceeded, "no room"));
}

TEST(Result, carries_the_failure) {
  const Result<int> result = fail(ErrorCode::too_large, "9 MiB");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Error(ErrorCode::too_large, "9 MiB"));
}

}  // namespace
}  // namespace parley
