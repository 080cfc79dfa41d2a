#include "agents/kinds/model_context.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <set>

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using messages::ToolCall;
using Strategy = ContextLimits::Strategy;
using testing::ElementsAre;

ChatMessage user(std::string text) { return {Role::user, std::move(text)}; }
ChatMessage assistant(std::string text) { return {Role::assistant, std::move(text)}; }
ChatMessage call(std::vector<std::string> ids) {
  ChatMessage message{Role::assistant, ""};
  for (std::string& id : ids) message.tool_calls.push_back({std::move(id), "t", "{}"});
  return message;
}
ChatMessage result(std::string id) { return {Role::tool, "r-" + id, {}, std::move(id)}; }

/// Texts, and ids of calls in brackets.
std::vector<std::string> shown(const std::vector<ChatMessage>& messages) {
  std::vector<std::string> texts;
  for (const ChatMessage& message : messages) {
    std::string text = message.content;
    for (const ToolCall& each : message.tool_calls) text += "[" + each.id + "]";
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> fitted(const std::vector<ChatMessage>& conversation, std::size_t question,
                                const ContextLimits& limits, std::uint64_t reserved = 0) {
  return shown(fit(conversation, question, limits, reserved).messages);
}

/// q1 a1 q2 a2 q3
std::vector<ChatMessage> talk() { return {user("q1"), assistant("a1"), user("q2"), assistant("a2"), user("q3")}; }

ContextLimits last(std::size_t messages) { return {.strategy = Strategy::last_messages, .max_messages = messages}; }
ContextLimits budget(std::uint64_t tokens) { return {.strategy = Strategy::token_budget, .max_tokens = tokens}; }
ContextLimits ends(std::size_t head, std::size_t tail) {
  return {.strategy = Strategy::head_and_tail, .head = head, .tail = tail};
}

TEST(ModelContext, without_a_limit_is_everything) {
  EXPECT_THAT(fitted(talk(), 4, {}), ElementsAre("q1", "a1", "q2", "a2", "q3"));
}

TEST(ModelContext, of_the_last_messages_is_the_newest_ones) {
  EXPECT_THAT(fitted(talk(), 4, last(3)), ElementsAre("q2", "a2", "q3"));
  EXPECT_EQ(fit(talk(), 4, last(3), 0).left_out, 2U);
}

TEST(ModelContext, never_begins_with_an_answer) {
  EXPECT_THAT(fitted(talk(), 4, last(2)), ElementsAre("[3 earlier messages are left out here]", "a2", "q3"));
}

TEST(ModelContext, always_has_the_question) { EXPECT_THAT(fitted(talk(), 4, last(1)), ElementsAre("q3")); }

TEST(ModelContext, keeps_question_and_newest_exchange_of_a_long_tool_loop) {
  const std::vector<ChatMessage> loop{user("q0"),  assistant("a0"), user("q"),        call({"1"}), result("1"),
                                      call({"2"}), result("2"),     call({"3", "4"}), result("3"), result("4")};
  EXPECT_THAT(fitted(loop, 2, last(1)), ElementsAre("q", "[3][4]", "r-3", "r-4"));
  EXPECT_THAT(fitted(loop, 2, last(6)), ElementsAre("q", "[2]", "r-2", "[3][4]", "r-3", "r-4"));
}

TEST(ModelContext, takes_tool_calls_with_all_their_results_or_not_at_all) {
  const std::vector<ChatMessage> used{user("q0"),  call({"1", "2"}), result("1"),
                                      result("2"), assistant("a0"),  user("q")};
  EXPECT_THAT(fitted(used, 5, last(4)), ElementsAre("[4 earlier messages are left out here]", "a0", "q"));
}

TEST(ModelContext, of_a_token_budget_has_what_fits_with_what_is_reserved) {
  // Each of these has 5 tokens by the estimate: 4 for the message, 1 for its text.
  EXPECT_THAT(fitted(talk(), 4, budget(15)), ElementsAre("q2", "a2", "q3"));
  EXPECT_THAT(fitted(talk(), 4, budget(25), 10), ElementsAre("q2", "a2", "q3"));
  EXPECT_THAT(fitted(talk(), 4, budget(15), 1000), ElementsAre("q3"));
}

TEST(ModelContext, counts_the_arguments_of_tool_calls) {
  ChatMessage large = call({"1"});
  large.tool_calls[0].arguments.assign(4000, 'x');
  const std::vector<ChatMessage> used{user("q0"), large, result("1"), assistant("a0"), user("q")};
  EXPECT_EQ(fit(used, 4, budget(1000), 0).left_out, 3U);
}

TEST(ModelContext, of_head_and_tail_says_how_much_is_left_out_between_them) {
  EXPECT_THAT(fitted(talk(), 4, ends(1, 1)), ElementsAre("q1", "[3 earlier messages are left out here]", "q3"));
  EXPECT_THAT(fitted(talk(), 4, ends(2, 2)),
              ElementsAre("q1", "a1", "[1 earlier message is left out here]", "a2", "q3"));
  EXPECT_THAT(fitted(talk(), 4, ends(0, 1)), ElementsAre("[4 earlier messages are left out here]", "q3"));
}

TEST(ModelContext, of_head_and_tail_that_meet_is_everything) {
  EXPECT_THAT(fitted(talk(), 4, ends(3, 2)), ElementsAre("q1", "a1", "q2", "a2", "q3"));
}

TEST(ModelContext, of_head_and_tail_does_not_cut_an_exchange_in_two) {
  const std::vector<ChatMessage> used{user("q0"), call({"1"}), result("1"), assistant("a0"), user("q")};
  EXPECT_THAT(fitted(used, 4, ends(2, 1)), ElementsAre("q0", "[3 earlier messages are left out here]", "q"));
}

TEST(ModelContext, of_an_empty_conversation_is_empty) { EXPECT_TRUE(fit({}, 0, last(3), 0).messages.empty()); }

TEST(Folding, is_for_the_summary_only) {
  EXPECT_EQ(messages_to_fold(talk(), 4, budget(1), 0), 0U);
  EXPECT_EQ(messages_to_fold(talk(), 4, {.strategy = Strategy::summary, .max_tokens = 25, .keep_messages = 2}, 0), 0U);
}

TEST(Folding, leaves_the_newest_messages_and_begins_with_the_user) {
  const ContextLimits limits{.strategy = Strategy::summary, .max_tokens = 20, .keep_messages = 2};
  EXPECT_EQ(messages_to_fold(talk(), 4, limits, 0), 2U);
  const ContextLimits less{.strategy = Strategy::summary, .max_tokens = 20, .keep_messages = 1};
  EXPECT_EQ(messages_to_fold(talk(), 4, less, 0), 2U) << "a2 without q2 would begin with an answer";
  const ContextLimits none{.strategy = Strategy::summary, .max_tokens = 20, .keep_messages = 0};
  EXPECT_EQ(messages_to_fold(talk(), 4, none, 0), 4U);
}

TEST(Folding, counts_what_is_reserved) {
  const ContextLimits limits{.strategy = Strategy::summary, .max_tokens = 30, .keep_messages = 2};
  EXPECT_EQ(messages_to_fold(talk(), 4, limits, 5), 0U);
  EXPECT_EQ(messages_to_fold(talk(), 4, limits, 6), 2U);
}

TEST(Folding, never_takes_the_question) {
  const ContextLimits limits{.strategy = Strategy::summary, .max_tokens = 1, .keep_messages = 0};
  EXPECT_EQ(messages_to_fold(std::vector{user("q")}, 0, limits, 0), 0U);
}

TEST(ThreadDigest, tells_other_messages_apart) {
  const std::vector<ChatMessage> talked = talk();
  EXPECT_EQ(digest_of(talked), digest_of(talk()));
  EXPECT_NE(digest_of(talked), digest_of(std::span(talked).first(4)));
  EXPECT_NE(digest_of(std::vector{user("ab"), user("c")}), digest_of(std::vector{user("a"), user("bc")}));
  EXPECT_NE(digest_of(std::vector{user("a")}), digest_of(std::vector{assistant("a")}));
}

// --- Whatever the conversation and the limits ------------------------------------------------------------------------

/// Turns with any number of exchanges; the last one is under way.
std::vector<ChatMessage> any_conversation(std::size_t& question) {
  std::vector<ChatMessage> messages;
  std::size_t next_id = 0;
  const auto turns = *rc::gen::inRange<std::size_t>(1, 6);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    question = messages.size();
    messages.push_back(user(std::string(*rc::gen::inRange<std::size_t>(0, 40), 'q')));
    const auto exchanges = *rc::gen::inRange<std::size_t>(0, 4);
    for (std::size_t i = 0; i < exchanges; ++i) {
      std::vector<std::string> ids(*rc::gen::inRange<std::size_t>(1, 4));
      for (std::string& id : ids) id = std::to_string(next_id++);
      messages.push_back(call(ids));
      for (const std::string& id : ids) messages.push_back(result(id));
    }
    if (turn + 1 < turns) messages.push_back(assistant("a"));
  }
  return messages;
}

void check_nothing_is_orphaned(const std::vector<ChatMessage>& messages) {
  std::set<std::string> open;
  for (const ChatMessage& message : messages) {
    if (message.role == Role::tool) {
      RC_ASSERT(open.erase(message.tool_call_id) == 1);
      continue;
    }
    RC_ASSERT(open.empty());
    for (const ToolCall& each : message.tool_calls) open.insert(each.id);
  }
  RC_ASSERT(open.empty());
}

RC_GTEST_PROP(ModelContext, never_orphans_a_call_or_a_result, ()) {
  std::size_t question = 0;
  const std::vector<ChatMessage> conversation = any_conversation(question);
  ContextLimits limits;
  limits.strategy = static_cast<Strategy>(*rc::gen::inRange(0, 5));
  limits.max_messages = *rc::gen::inRange<std::size_t>(1, 20);
  limits.max_tokens = *rc::gen::inRange<std::uint64_t>(1, 200);
  limits.head = *rc::gen::inRange<std::size_t>(0, 6);
  limits.tail = *rc::gen::inRange<std::size_t>(1, 10);
  const ContextView view = fit(conversation, question, limits, 0);
  check_nothing_is_orphaned(view.messages);
  const bool begins_with_user = view.messages.front().role == Role::user;
  RC_ASSERT(begins_with_user);
  const bool has_newest = view.messages.back() == conversation.back();
  RC_ASSERT(has_newest);
  const bool has_question = std::ranges::find(view.messages, conversation[question]) != view.messages.end();
  RC_ASSERT(has_question);
  std::size_t notes = 0;
  for (const ChatMessage& message : view.messages) notes += message.content.starts_with("[") ? 1 : 0;
  RC_ASSERT(view.messages.size() - notes + view.left_out == conversation.size());
}

RC_GTEST_PROP(Folding, leaves_a_conversation_that_begins_with_the_user, ()) {
  std::size_t question = 0;
  const std::vector<ChatMessage> conversation = any_conversation(question);
  ContextLimits limits{.strategy = Strategy::summary};
  limits.max_tokens = *rc::gen::inRange<std::uint64_t>(1, 200);
  limits.keep_messages = *rc::gen::inRange<std::size_t>(0, 10);
  const std::size_t count = messages_to_fold(conversation, question, limits, 0);
  RC_ASSERT(count <= question);
  const bool begins_with_user = conversation.at(count).role == Role::user;
  RC_ASSERT(begins_with_user);
  check_nothing_is_orphaned(std::vector(conversation.begin(), conversation.begin() + static_cast<long>(count)));
}

}  // namespace
}  // namespace parley::kinds
