#include "agents/kinds/phrase_classifier.hpp"

#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using Match = PhraseClassifier::Match;

constexpr std::size_t kHr = 0;
constexpr std::size_t kFinance = 1;

struct PhraseClassifierTest : testing::Test {
  PhraseClassifierTest() {
    for (const char* phrase : {"hr", "human resources", "employee"}) EXPECT_TRUE(classifier.add(phrase, kHr));
    for (const char* phrase : {"finance", "money", "budget", "employee budget"}) {
      EXPECT_TRUE(classifier.add(phrase, kFinance));
    }
  }
  PhraseClassifier classifier;
};

TEST_F(PhraseClassifierTest, finds_a_phrase_anywhere_in_the_text) {
  EXPECT_EQ(classifier.classify("money, please"), (Match{kFinance, "money"}));
  EXPECT_EQ(classifier.classify("I need some money now"), (Match{kFinance, "money"}));
  EXPECT_EQ(classifier.classify("it is about hr"), (Match{kHr, "hr"}));
}

TEST_F(PhraseClassifierTest, ignores_case) {
  EXPECT_EQ(classifier.classify("HR"), (Match{kHr, "hr"}));
  EXPECT_EQ(classifier.classify("Human RESOURCES"), (Match{kHr, "human resources"}));
}

TEST_F(PhraseClassifierTest, matches_whole_words_only) {
  EXPECT_FALSE(classifier.classify("three chrome shr hrs"));
  EXPECT_FALSE(classifier.classify("moneymaker budgets"));
}

TEST_F(PhraseClassifierTest, treats_anything_between_words_as_one_space) {
  EXPECT_EQ(classifier.classify("human-resources?"), (Match{kHr, "human resources"}));
  EXPECT_EQ(classifier.classify("human \n\t resources"), (Match{kHr, "human resources"}));
  EXPECT_EQ(classifier.classify("(budget)"), (Match{kFinance, "budget"}));
}

TEST_F(PhraseClassifierTest, does_not_match_words_that_stand_apart) {
  EXPECT_FALSE(classifier.classify("human and other resources"));
}

TEST_F(PhraseClassifierTest, prefers_the_longest_phrase) {
  EXPECT_EQ(classifier.classify("the employee budget"), (Match{kFinance, "employee budget"}));
  EXPECT_EQ(classifier.classify("hr or human resources or money"), (Match{kHr, "human resources"}));
}

TEST_F(PhraseClassifierTest, prefers_the_first_of_equally_long_phrases) {
  PhraseClassifier even;
  ASSERT_TRUE(even.add("cats", 0));
  ASSERT_TRUE(even.add("dogs", 1));
  EXPECT_EQ(even.classify("dogs and cats"), (Match{1, "dogs"}));
  EXPECT_EQ(even.classify("cats and dogs"), (Match{0, "cats"}));
}

TEST_F(PhraseClassifierTest, finds_nothing_in_a_text_without_a_phrase) {
  EXPECT_FALSE(classifier.classify("what is the weather"));
  EXPECT_FALSE(classifier.classify(""));
  EXPECT_FALSE(classifier.classify("?! ... --"));
}

TEST_F(PhraseClassifierTest, finds_nothing_when_it_knows_nothing) {
  EXPECT_FALSE(PhraseClassifier().classify("money"));
}

TEST_F(PhraseClassifierTest, keeps_words_with_other_letters_whole) {
  PhraseClassifier other;
  ASSERT_TRUE(other.add("büro", 0));
  EXPECT_TRUE(other.classify("Mein büro!"));
  EXPECT_FALSE(other.classify("großbüro"));
}

TEST_F(PhraseClassifierTest, looks_at_a_bounded_part_of_a_text) {
  const std::string filler(PhraseClassifier::kMaxTextBytes, ' ');
  EXPECT_FALSE(classifier.classify(filler + "money"));
}

TEST_F(PhraseClassifierTest, refuses_a_phrase_without_words_or_with_too_many) {
  EXPECT_FALSE(classifier.add("", kHr));
  EXPECT_FALSE(classifier.add(" - ", kHr));
  std::string long_phrase;
  for (std::size_t i = 0; i <= PhraseClassifier::kMaxPhraseWords; ++i) long_phrase += "word ";
  EXPECT_FALSE(classifier.add(long_phrase, kHr));
}

TEST_F(PhraseClassifierTest, refuses_a_phrase_that_another_route_has) {
  EXPECT_FALSE(classifier.add("Money", kHr));
  EXPECT_TRUE(classifier.add("MONEY", kFinance)) << "twice in one route is harmless";
}

}  // namespace
}  // namespace parley::kinds
