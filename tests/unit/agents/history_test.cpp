#include "agents/kinds/history.hpp"

#include <gtest/gtest.h>

#include "libmsg/wire/control.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using messages::ToolCall;
using Turn = std::vector<ChatMessage>;

Turn turn(const std::string& question, const std::string& answer) {
  return {{Role::user, question}, {Role::assistant, answer}};
}

/// A turn in which a tool gave `result`.
Turn turn_with_tool(const std::string& result) {
  return {{Role::user, "q"},
          {Role::assistant, "", {ToolCall{"c1", "lookup", "{}"}}, "", false, "opaque"},
          {Role::tool, result, {}, "c1"},
          {Role::assistant, "a"}};
}

TEST(History, gives_what_it_was_told_in_order) {
  History history({});
  history.add(turn("q1", "a1"));
  history.add(turn("q2", "a2"));
  const Turn expected{{Role::user, "q1"}, {Role::assistant, "a1"}, {Role::user, "q2"}, {Role::assistant, "a2"}};
  EXPECT_EQ(history.messages(), expected);
}

TEST(History, keeps_tool_calls_with_their_results_and_not_what_the_provider_wanted_back) {
  History history({});
  history.add(turn_with_tool("42"));
  Turn expected = turn_with_tool("42");
  expected[1].provider_state.clear();
  EXPECT_EQ(history.messages(), expected);
}

TEST(History, forgets_the_oldest_turn_when_there_are_too_many) {
  History history({.max_turns = 2, .max_bytes = 1000});
  for (const char* question : {"1", "2", "3"}) history.add(turn(question, "a"));
  EXPECT_EQ(history.turns(), 2U);
  EXPECT_EQ(history.messages().at(0).content, "2");
}

TEST(History, forgets_old_turns_when_they_take_too_much_room) {
  History history({.max_turns = 100, .max_bytes = 10});
  history.add(turn("12345", "1"));
  history.add(turn("12345", "2"));
  EXPECT_EQ(history.turns(), 1U);
  EXPECT_LE(history.bytes(), 10U);
}

TEST(History, keeps_a_turn_without_its_tool_calls_when_they_are_too_large) {
  History history({.max_turns = 100, .max_bytes = 20});
  history.add(turn_with_tool(std::string(100, 'x')));
  EXPECT_EQ(history.messages(), turn("q", "a"));
}

TEST(History, does_not_keep_a_turn_that_is_larger_than_all_it_may_keep) {
  History history({.max_turns = 100, .max_bytes = 10});
  history.add(turn("short", "one"));
  history.add(turn(std::string(11, 'x'), ""));
  EXPECT_EQ(history.turns(), 1U);
}

TEST(History, of_no_turns_keeps_nothing) {
  History history({.max_turns = 0, .max_bytes = 1000});
  history.add(turn("q", "a"));
  EXPECT_EQ(history.turns(), 0U);
}

TEST(History, takes_nothing_that_is_no_whole_turn) {
  History history({});
  history.add({});
  history.add({{Role::user, "q"}});
  history.add({{Role::assistant, "a"}, {Role::assistant, "a"}});
  Turn orphan = turn_with_tool("42");
  orphan.erase(orphan.begin() + 2);
  history.add(orphan);
  EXPECT_EQ(history.turns(), 0U);
}

TEST(History, has_a_summary_in_the_place_of_folded_turns) {
  History history({});
  history.add(turn("q1", "a1"));
  history.add(turn_with_tool("42"));
  history.add(turn("q3", "a3"));
  history.fold(6, "they talked");
  EXPECT_EQ(history.summary(), "they talked");
  EXPECT_EQ(history.messages(), turn("q3", "a3"));
  EXPECT_EQ(history.bytes(), 4U);
}

TEST(History, folds_whole_turns_only) {
  History history({});
  history.add(turn("q1", "a1"));
  history.add(turn_with_tool("42"));
  history.fold(4, "s");
  EXPECT_EQ(history.turns(), 1U);
}

TEST(History, cuts_a_summary_that_is_too_long) {
  History history({});
  history.fold(0, std::string(History::kMaxSummaryBytes + 1, 'x'));
  EXPECT_LE(history.summary().size(), History::kMaxSummaryBytes);
}

TEST(History, that_was_saved_is_loaded) {
  History history({});
  history.add(turn("q1", "a1"));
  history.add(turn_with_tool("42"));
  history.fold(2, "summary");
  history.set_thread_summary({"thread", 3, 99});
  History loaded({});
  ASSERT_TRUE(loaded.load(history.save()));
  EXPECT_EQ(loaded.messages(), history.messages());
  EXPECT_EQ(loaded.bytes(), history.bytes());
  EXPECT_EQ(loaded.summary(), "summary");
  EXPECT_EQ(loaded.thread_summary(), (ThreadSummary{"thread", 3, 99}));
}

/// As version 1 wrote it.
struct OldHistory {
  std::uint32_t version = 1;
  std::vector<std::string> texts;
  PARLEY_FIELDS(version, texts)
};

TEST(History, loads_what_an_earlier_version_saved) {
  History history({});
  const OldHistory old{1, {"q1", "a1"}};
  ASSERT_TRUE(history.load(wire::encode_body(old).text()));
  EXPECT_EQ(history.messages(), turn("q1", "a1"));
}

TEST(History, refuses_the_state_of_a_later_version) {
  History history({});
  const OldHistory later{3, {}};
  EXPECT_FALSE(history.load(wire::encode_body(later).text()));
}

TEST(History, that_is_empty_saves_nothing) { EXPECT_EQ(History({}).save(), ""); }

TEST(History, refuses_a_state_that_it_has_not_written) {
  History history({});
  history.add(turn("q", "a"));
  for (const std::string_view state : {"", "nonsense", "\x81\xa5texts\xc0", "\x82\xa7version\x01\xa5texts\x91\xa1x"}) {
    EXPECT_FALSE(history.load(state)) << state;
  }
  EXPECT_EQ(history.turns(), 1U) << "and keeps what it has";
}

}  // namespace
}  // namespace parley::kinds
