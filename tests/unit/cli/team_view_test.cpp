#include "services/cli/team_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/text_width.hpp"
#include "services/cli/transcript.hpp"

namespace parley::cli {
namespace {

using messages::TeamEvent;
using testing::HasSubstr;
using testing::Not;

struct TeamViewTest : testing::Test {
  void event(const std::string& what, const std::string& from, const std::string& detail = "",
             const std::string& text = "", const std::string& team = "team") {
    const TeamEvent event{what, team, from, detail, text, usage};
    view.event(event);
    transcript.event(event, {});
  }
  void part(const std::string& from, const std::string& text) {
    view.part({text, from});
    transcript.part({text, from});
  }
  std::string shown;
  messages::Usage usage;
  TeamView view{[this](std::string_view text) { shown += text; },
                [](Color, std::string_view text) { return std::string(text); }, 40, "team"};
  Transcript transcript{"team", "the task", {}};
};

TEST_F(TeamViewTest, shows_who_speaks_and_what_while_he_says_it) {
  event("turn_started", "poet", "writes");
  EXPECT_EQ(view.status(), "poet …");
  part("poet", "a rose ");
  EXPECT_EQ(shown, "\npoet · writes\n  a rose");
  EXPECT_EQ(view.status(), "");
  part("poet", "is red");
  event("turn_ended", "poet", "", "a rose is red");
  EXPECT_EQ(shown, "\npoet · writes\n  a rose is red\n");
}

TEST_F(TeamViewTest, shows_the_whole_text_of_who_does_not_stream) {
  event("turn_started", "poet");
  event("turn_ended", "poet", "", "a rose");
  EXPECT_EQ(shown, "\npoet\n  a rose\n");
}

TEST_F(TeamViewTest, shows_one_live_and_the_others_after_him) {
  event("turn_started", "a");
  event("turn_started", "b");
  part("a", "one ");
  part("b", "three");
  part("a", "two");
  event("turn_ended", "b", "", "three");
  event("turn_ended", "a", "", "one two");
  EXPECT_EQ(shown, "\na\n  one two\n\nb\n  three\n");
}

TEST_F(TeamViewTest, goes_on_live_with_the_next_one_in_the_middle_of_his_words) {
  part("a", "one");
  part("b", "two ");
  event("turn_ended", "a", "", "one");
  part("b", "three");
  event("turn_ended", "b", "", "two three");
  EXPECT_EQ(shown, "\na\n  one\n\nb\n  two three\n");
}

TEST_F(TeamViewTest, holds_lines_and_text_back_in_their_order) {
  part("a", "one");
  event("tool_call", "b", "web", "x");
  event("tool_result", "b", "web", "y");
  part("b", "two ");
  event("turn_ended", "a", "", "one");
  EXPECT_EQ(shown, "\na\n  one\n\nb\n  uses web x\n  -> y\n  two");
}

TEST_F(TeamViewTest, goes_on_after_a_line_that_was_held_back) {
  part("a", "one");
  event("tool_call", "b", "web", "x");
  event("turn_ended", "a", "", "one");
  event("tool_result", "b", "web", "y");
  EXPECT_EQ(shown, "\na\n  one\n\nb\n  uses web x\n  -> y\n");
}

TEST_F(TeamViewTest, shows_tools_handovers_and_failures_as_lines) {
  event("turn_started", "a");
  event("tool_call", "a", "sql", "{\"query\": \"select\"}");
  event("tool_result", "a", "sql", "42\nmore lines");
  event("participant_failed", "a", "timeout", "late (tries again)");
  part("a", "it is 42");
  event("turn_ended", "a", "", "it is 42");
  EXPECT_EQ(shown,
            "\na\n  uses sql {\"query\": \"select\"}\n  -> 42 …\n  failed: timeout: late (tries again)\n  it is 42\n");
}

TEST_F(TeamViewTest, tells_the_cost_so_far_with_each_speaker) {
  usage.input_tokens = 1200;
  usage.cost_nano_usd = 1'000'000;
  event("turn_started", "a");
  event("turn_ended", "a", "", "x");
  EXPECT_THAT(shown, HasSubstr("a · 1200 tokens, $0.001"));
}

TEST_F(TeamViewTest, keeps_every_line_within_the_width) {
  usage.input_tokens = 1200;
  event("turn_started", std::string(30, 'n'), std::string(60, 'r'));
  event("tool_call", std::string(30, 'n'), std::string(60, 't'), std::string(60, 'a'));
  part(std::string(30, 'n'), "some words that are longer than one line of forty columns would be");
  view.finish();
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t end = std::min(shown.find('\n', at), shown.size());
    EXPECT_LE(display_width(shown.substr(at, end - at)), 40U) << shown.substr(at, end - at);
    at = end + 1;
  }
}

TEST_F(TeamViewTest, shows_what_is_held_back_when_it_ends_early) {
  part("a", "one");
  part("b", "two");
  view.finish();
  EXPECT_EQ(shown, "\na\n  one\n\nb\n  two\n");
}

TEST_F(TeamViewTest, lets_nobody_play_tricks_on_the_terminal) {
  part("a\x1b[2J", "\x1b[31mred");
  view.finish();
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
}

TEST_F(TeamViewTest, transcript_keeps_turns_tools_and_the_result) {
  event("turn_started", "poet", "writes", "be brief");
  part("poet", "a rose");
  event("tool_call", "poet", "rhymes", "```");
  event("turn_ended", "poet", "", "a rose");
  messages::Answer answer;
  answer.text = "the poem";
  answer.stop_reason = "accepted:critic";
  transcript.finish(answer, {});
  const std::string text = transcript.markdown();
  for (const char* expected : {"# Conversation of team", "the task", "## poet (writes)", "*asked: be brief*", "a rose",
                               "````\n```\n````", "accepted:critic (1 turns", "the poem"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(transcript.json(), HasSubstr("\"stop_reason\": \"accepted:critic\""));
}

TEST_F(TeamViewTest, transcript_keeps_what_was_being_said_by_whoever_was_cut_short) {
  event("turn_started", "poet");
  part("poet", "a rose ");
  event("participant_failed", "poet", "cancelled", "the conversation was stopped");
  messages::Answer answer;
  answer.stop_reason = "external:enough";
  transcript.finish(answer, {});
  EXPECT_THAT(transcript.markdown(), HasSubstr("**poet** (unfinished):\n\na rose"));
  EXPECT_THAT(transcript.json(), HasSubstr("\"is_unfinished\": true"));
}

TEST_F(TeamViewTest, transcript_keeps_what_was_being_said_when_it_was_interrupted) {
  event("turn_started", "poet");
  part("poet", "half a r");
  transcript.finish(fail(ErrorCode::cancelled, "interrupted"), {});
  EXPECT_THAT(transcript.markdown(), HasSubstr("**poet** (unfinished):\n\nhalf a r"));
  EXPECT_THAT(transcript.markdown(), HasSubstr("failed: cancelled: interrupted"));
  EXPECT_THAT(transcript.json(), HasSubstr("\"is_unfinished\": true"));
}

}  // namespace
}  // namespace parley::cli
