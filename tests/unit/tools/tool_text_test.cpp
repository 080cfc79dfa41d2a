#include "agents/tools/tool_text.hpp"

#include <gtest/gtest.h>

#include "agents/tools/tool_name.hpp"

namespace parley::tools {
namespace {

TEST(CleanUtf8, keeps_what_is_valid_and_replaces_each_other_byte) {
  EXPECT_EQ(clean_utf8("Füße €😀"), "Füße €😀");
  EXPECT_EQ(clean_utf8("a\xFFz\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_EQ(clean_utf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "an overlong form";
  EXPECT_EQ(clean_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
}

TEST(CutWithNote, cuts_before_a_character_and_says_how_much_there_was) {
  std::string text = "12345€89";
  EXPECT_TRUE(cut_with_note(text, 7));
  EXPECT_EQ(text, "12345\n[cut here: the first 5 of 10 bytes]");
  std::string whole = "12345";
  EXPECT_FALSE(cut_with_note(whole, 5));
  EXPECT_EQ(whole, "12345");
}

TEST(ToolName, becomes_one_that_every_provider_takes) {
  EXPECT_EQ(tool_name_for_models("files_", "read.file/v2"), "files_read_file_v2");
  const std::string a = tool_name_for_models("x_", std::string(100, 'n') + "1");
  const std::string b = tool_name_for_models("x_", std::string(100, 'n') + "2");
  EXPECT_TRUE(is_valid_tool_name(a));
  EXPECT_NE(a, b) << "two long names stay two";
  EXPECT_FALSE(is_valid_tool_name(""));
  EXPECT_FALSE(is_valid_tool_name("a.b"));
  EXPECT_FALSE(is_valid_tool_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace parley::tools
