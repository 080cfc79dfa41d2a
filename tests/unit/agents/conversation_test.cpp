#include "agents/kinds/conversation.hpp"

#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using Step = Conversation::Step;

TEST(Conversation, begins_with_the_router) { EXPECT_EQ(Conversation("alice", "END").step_for("hello"), Step::route); }

TEST(Conversation, goes_on_with_the_chosen_agent) {
  Conversation conversation("alice", "END");
  conversation.connect("hr");
  EXPECT_EQ(conversation.step_for("and another thing"), Step::ask);
  EXPECT_EQ(conversation.agent_key(), "alice");
}

TEST(Conversation, ends_at_the_end_word_alone) {
  Conversation conversation("alice", "END");
  conversation.connect("hr");
  for (const char* text : {"END", "end", " End \r\n"}) EXPECT_EQ(conversation.step_for(text), Step::finish) << text;
  for (const char* text : {"END of story", "the END", "", "ENDE"})
    EXPECT_EQ(conversation.step_for(text), Step::ask) << text;
}

TEST(Conversation, has_nothing_to_end_before_it_has_begun) {
  EXPECT_EQ(Conversation("alice", "END").step_for("END"), Step::idle);
}

TEST(Conversation, starts_anew_under_another_key_after_its_end) {
  Conversation conversation("alice", "END");
  conversation.connect("hr");
  conversation.finish();
  EXPECT_EQ(conversation.step_for("hello again"), Step::route);
  EXPECT_EQ(conversation.agent_key(), "alice~2");
}

TEST(Conversation, keeps_its_key_when_the_agent_was_not_there) {
  Conversation conversation("alice", "END");
  conversation.connect("hr");
  conversation.disconnect();
  EXPECT_EQ(conversation.step_for("hello"), Step::route);
  EXPECT_EQ(conversation.agent_key(), "alice");
}

TEST(Conversation, that_was_saved_goes_on) {
  Conversation conversation("alice", "END");
  conversation.connect("hr");
  conversation.finish();
  conversation.connect("finance");
  Conversation loaded("alice", "END");
  ASSERT_TRUE(loaded.load(conversation.save()));
  EXPECT_EQ(loaded.agent_type(), "finance");
  EXPECT_EQ(loaded.agent_key(), "alice~2");
}

TEST(Conversation, refuses_a_state_that_it_has_not_written) {
  Conversation conversation("alice", "END");
  EXPECT_FALSE(conversation.load("nonsense"));
  EXPECT_FALSE(
      conversation.load("\x81\xaa"
                        "agent_type\xa3"
                        "a/b"));
}

}  // namespace
}  // namespace parley::kinds
