#include "agents/text/pattern.hpp"

#include <gmock/gmock.h>

namespace parley {
namespace {

using testing::HasSubstr;

TEST(Pattern, finds_the_first_match_and_its_groups) {
  const Pattern pattern = Pattern::make("([a-z]+)=(\\d+)?").value();
  const std::optional<Pattern::Groups> found = pattern.find("x: total=42, rest=");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0], "total=42");
  EXPECT_EQ((*found)[1], "total");
  EXPECT_EQ((*found)[2], "42");
  EXPECT_EQ((*found)[3], "");
  EXPECT_EQ((*pattern.find("rest="))[2], "") << "the group took no part";
  EXPECT_FALSE(pattern.find("nothing"));
}

TEST(Pattern, gives_nine_groups_of_an_expression_with_more) {
  const auto found = Pattern::make("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)").value().find("abcdefghij");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->back(), "i");
}

TEST(Pattern, disregards_case_only_when_told_to) {
  EXPECT_TRUE(Pattern::make("hello", Pattern::LetterCase::any)->is_found_in("HELLO"));
  EXPECT_FALSE(Pattern::make("hello")->is_found_in("HELLO"));
}

TEST(Pattern, takes_long_text_and_hostile_expressions_in_its_stride) {
  const std::string text(1'000'000, 'a');
  EXPECT_FALSE(Pattern::make("^(a+)+b$")->is_found_in(text));
  EXPECT_FALSE(Pattern::make("((a{100}){100}){100}")) << "it would not fit into its memory";
}

TEST(Pattern, says_what_is_no_expression) {
  EXPECT_THAT(Pattern::make("a(").error().message, HasSubstr("missing )"));
  EXPECT_FALSE(Pattern::make("(?=a)"));
  EXPECT_FALSE(Pattern::make("(a)\\1"));
}

}  // namespace
}  // namespace parley
