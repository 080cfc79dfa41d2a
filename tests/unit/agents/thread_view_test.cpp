#include "agents/kinds/thread_view.hpp"

#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using messages::ThreadMessage;
using messages::TurnRequest;

TurnRequest turn_of(std::string name, std::vector<ThreadMessage> thread, std::string instruction = "") {
  TurnRequest request;
  request.name = std::move(name);
  request.thread = std::move(thread);
  request.instruction = std::move(instruction);
  return request;
}

ThreadMessage said(std::string from, std::string text) { return {std::move(from), std::move(text), {}, 0}; }

TEST(ThreadView, has_own_words_as_the_assistants_and_others_with_their_names) {
  const TurnRequest request =
      turn_of("poet", {said("user", "a poem"), said("poet", "Roses."), said("critic", "More.")});
  const std::vector<ChatMessage> expected{
      {Role::user, "a poem"}, {Role::assistant, "Roses."}, {Role::user, "critic: More."}};
  EXPECT_EQ(*thread_view(request), expected);
}

TEST(ThreadView, shows_what_is_private) {
  TurnRequest request = turn_of("poet", {said("critic", "psst")});
  request.thread[0].visible_to = {"poet"};
  EXPECT_EQ(thread_view(request)->at(0).content, "critic (privately): psst");
}

TEST(ThreadView, ends_with_the_instruction) {
  const TurnRequest request = turn_of("poet", {said("user", "a poem")}, "Write two lines.");
  EXPECT_EQ(thread_view(request)->back(), (ChatMessage{Role::user, "Write two lines."}));
}

TEST(ThreadView, of_an_instruction_alone_is_that) {
  EXPECT_EQ(*thread_view(turn_of("poet", {}, "Begin.")), (std::vector<ChatMessage>{{Role::user, "Begin."}}));
}

TEST(ThreadView, never_begins_or_ends_with_the_assistant) {
  const Result<std::vector<ChatMessage>> view = thread_view(turn_of("poet", {said("poet", "Roses.")}));
  ASSERT_TRUE(view);
  ASSERT_EQ(view->size(), 3U);
  EXPECT_EQ(view->front().role, Role::user);
  EXPECT_EQ(view->back().role, Role::user);
}

TEST(ThreadView, leaves_out_empty_messages) {
  EXPECT_EQ(thread_view(turn_of("poet", {said("user", "a"), said("critic", "")}))->size(), 1U);
}

TEST(ThreadView, of_nothing_is_refused) {
  const Result<std::vector<ChatMessage>> view = thread_view(turn_of("poet", {said("user", "")}));
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, ErrorCode::invalid);
}

TEST(Members, are_the_others_with_what_they_do) {
  TurnRequest request = turn_of("poet", {});
  EXPECT_EQ(members_text(request), "(nobody else)");
  request.members = {{"poet", "writes"}, {"critic", "reviews poems"}, {"user", ""}};
  EXPECT_EQ(members_text(request), "- critic: reviews poems\n- user");
}

}  // namespace
}  // namespace parley::kinds
