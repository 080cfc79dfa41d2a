#include "agents/teams/repetition.hpp"

#include <gtest/gtest.h>

namespace parley::teams {
namespace {

/// The reason after the last of the messages, each `who: text`.
std::string after(Repetition& repetition, const std::vector<std::pair<std::string, std::string>>& said) {
  std::string last;
  for (const auto& [from, text] : said) last = repetition.add(from, text).value_or("");
  return last;
}

const std::string kThanks = "Thank you very much for your help, it was a pleasure to work with you on this";
const std::string kWelcome = "You are welcome, please come back at any time if there is anything else to do";

TEST(Repetition, finds_somebody_who_repeats_himself) {
  Repetition repetition({});
  EXPECT_EQ(after(repetition, {{"a", kThanks}, {"a", kThanks}}), "");
  EXPECT_EQ(after(repetition, {{"a", kThanks}}), "repetition:a said the same 3 times");
}

TEST(Repetition, finds_two_who_thank_each_other_for_ever) {
  Repetition repetition({});
  EXPECT_EQ(after(repetition, {{"a", kThanks}, {"b", kWelcome}, {"a", kThanks}, {"b", kWelcome}, {"a", kThanks}}), "");
  EXPECT_EQ(after(repetition, {{"b", kWelcome}}), "repetition:a, b said the same 3 times");
}

TEST(Repetition, finds_longer_circles) {
  Repetition repetition({.times = 2});
  EXPECT_EQ(after(repetition, {{"a", "one two three four"},
                               {"b", "five six seven eight"},
                               {"c", "nine ten eleven twelve"},
                               {"a", "one two three four"},
                               {"b", "five six seven eight"},
                               {"c", "nine ten eleven twelve"}}),
            "repetition:a, b, c said the same 2 times");
}

TEST(Repetition, takes_small_changes_for_the_same) {
  Repetition repetition({.similarity = 0.7});
  EXPECT_NE(after(repetition, {{"a", kThanks + " today"}, {"a", kThanks + " indeed!"}, {"a", "Well: " + kThanks}}), "");
}

TEST(Repetition, lets_work_on_a_text_go_on_although_the_reviewer_says_the_same) {
  Repetition repetition({});
  std::string last;
  for (const char* version : {"a rose is red and the sky is blue", "violets bloom where rivers run to the sea",
                              "snow falls softly on the sleeping town", "the sun burns low behind the western hill"}) {
    last = after(repetition, {{"writer", version}, {"critic", "Please revise this once more, it needs rhythm"}});
  }
  EXPECT_EQ(last, "");
}

TEST(Repetition, needs_the_same_speakers) {
  Repetition repetition({});
  EXPECT_EQ(after(repetition, {{"a", kThanks}, {"b", kThanks}, {"c", kThanks}}), "") << "an echo is no circle";
}

TEST(Repetition, starts_anew_after_reset) {
  Repetition repetition({});
  (void)after(repetition, {{"a", kThanks}, {"a", kThanks}});
  repetition.reset();
  EXPECT_EQ(after(repetition, {{"a", kThanks}}), "");
}

TEST(Jaccard, compares_words_and_not_their_spelling) {
  EXPECT_DOUBLE_EQ(jaccard(shingles("Hello, World again!"), shingles("hello world AGAIN")), 1);
  EXPECT_DOUBLE_EQ(jaccard(shingles("ok"), shingles("OK.")), 1);
  EXPECT_DOUBLE_EQ(jaccard(shingles("yes"), shingles("no")), 0);
  EXPECT_DOUBLE_EQ(jaccard(shingles(""), shingles("...")), 1);
  EXPECT_DOUBLE_EQ(jaccard(shingles("one two three"), shingles("three two one")), 0) << "order matters";
  EXPECT_NEAR(jaccard(shingles("a b c d"), shingles("a b c e")), 1.0 / 3, 1e-9);
}

}  // namespace
}  // namespace parley::teams
