#include "agents/teams/thread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::teams {
namespace {

using messages::ThreadMessage;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<ThreadMessage>& messages) {
  std::vector<std::string> found;
  for (const ThreadMessage& message : messages) found.push_back(message.text);
  return found;
}

struct ThreadTest : testing::Test {
  ThreadTest() {
    thread.begin_task();
    thread.add({"user", "task", {}, 0});
  }
  void say(const std::string& from, const std::string& text, std::vector<std::string> visible_to = {}) {
    thread.add({from, text, std::move(visible_to), 0});
  }
  Thread thread;
};

TEST_F(ThreadTest, shows_everything_to_everybody_in_order) {
  say("a", "one");
  say("b", "two");
  EXPECT_THAT(texts(thread.seen_by("c", {})), ElementsAre("task", "one", "two"));
}

TEST_F(ThreadTest, shows_private_messages_to_the_named_and_to_who_said_them) {
  say("a", "secret", {"b"});
  EXPECT_THAT(texts(thread.seen_by("b", {})), ElementsAre("task", "secret"));
  EXPECT_THAT(texts(thread.seen_by("a", {})), ElementsAre("task", "secret"));
  EXPECT_THAT(texts(thread.seen_by("c", {})), ElementsAre("task"));
  EXPECT_THAT(texts(thread.seen_by("", {})), ElementsAre("task")) << "nor to who is no member";
}

TEST_F(ThreadTest, keeps_the_task_and_the_newest_messages_within_the_limit) {
  for (int i = 0; i < 5; ++i) say("a", std::to_string(i));
  EXPECT_THAT(texts(thread.seen_by("b", {.max_messages = 3})), ElementsAre("task", "3", "4"));
}

TEST_F(ThreadTest, leaves_no_hole_when_bytes_run_out) {
  say("a", "small");
  say("a", std::string(100, 'x'));
  say("a", "newest");
  const auto seen = texts(thread.seen_by("b", {.max_messages = 10, .max_bytes = 60}));
  EXPECT_THAT(seen, ElementsAre("task", "newest")) << "`small` would fit, but is older than what does not";
}

TEST_F(ThreadTest, cuts_the_newest_message_when_it_is_larger_than_all_the_room) {
  say("a", std::string(1000, 'x'));
  const auto seen = thread.seen_by("b", {.max_messages = 10, .max_bytes = 300});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen[1].text.ends_with("[… cut]"));
  EXPECT_LE(seen[1].text.size(), 300U);
}

TEST_F(ThreadTest, keeps_the_order_of_earlier_tasks) {
  say("a", "answer");
  thread.begin_task();
  say("user", "second task");
  say("b", "more");
  EXPECT_THAT(texts(thread.seen_by("c", {})), ElementsAre("task", "answer", "second task", "more"));
  EXPECT_THAT(texts(thread.seen_by("c", {.max_messages = 2})), ElementsAre("second task", "more"));
  EXPECT_EQ(thread.task(), "second task");
}

TEST_F(ThreadTest, tells_news_without_what_the_member_said_itself) {
  say("a", "one");
  const std::uint64_t told = thread.next_number();
  say("b", "two");
  say("a", "three");
  EXPECT_THAT(texts(thread.news_for("a", told)), ElementsAre("two"));
  EXPECT_THAT(texts(thread.news_for("b", 0)), ElementsAre("task", "one", "three"));
}

TEST_F(ThreadTest, forgets_the_oldest_but_never_the_task) {
  for (std::size_t i = 0; i < Thread::kMaxMessages + 10; ++i) say("a", std::to_string(i));
  EXPECT_EQ(thread.messages().size(), Thread::kMaxMessages);
  EXPECT_EQ(thread.task(), "task");
  EXPECT_EQ(thread.next_number(), Thread::kMaxMessages + 11);
  EXPECT_THAT(texts(thread.news_for("b", thread.next_number() - 1)),
              ElementsAre(std::to_string(Thread::kMaxMessages + 9)));
}

TEST_F(ThreadTest, finds_the_last_public_words_of_a_member) {
  EXPECT_EQ(thread.last_of(""), nullptr);
  say("a", "one");
  say("b", "two");
  say("a", "hidden", {"b"});
  EXPECT_EQ(thread.last_of("a")->text, "one");
  EXPECT_EQ(thread.last_of("")->text, "two");
  EXPECT_EQ(thread.last_of("c"), nullptr);
}

TEST_F(ThreadTest, comes_back_from_saved_state) {
  say("a", "one");
  Thread other;
  other.load(thread.save());
  EXPECT_EQ(texts(other.seen_by("b", {})), texts(thread.seen_by("b", {})));
  EXPECT_EQ(other.task(), "task");
  EXPECT_EQ(other.next_number(), thread.next_number());
}

TEST(ReadAddress, takes_one_member_or_several) {
  const std::vector<std::string> members{"a", "b"};
  EXPECT_THAT(read_address("@a: psst", members).names, ElementsAre("a"));
  EXPECT_EQ(read_address("@a: psst", members).text, "psst");
  EXPECT_THAT(read_address("@a, @b:\npsst", members).names, ElementsAre("a", "b"));
  EXPECT_THAT(read_address("@a @b: psst", members).names, ElementsAre("a", "b"));
}

TEST(ReadAddress, leaves_other_texts_alone) {
  const std::vector<std::string> members{"a"};
  for (const char* text : {"a: hello", "@nobody: hello", "@a and more: hello", "hello @a: x", "@a hello", "@: x", ""}) {
    EXPECT_THAT(read_address(text, members).names, IsEmpty()) << text;
    EXPECT_EQ(read_address(text, members).text, text);
  }
}

TEST(Cut, never_splits_a_character) {
  const std::string text = "ääääääääääääääääääää";
  for (std::size_t size = 12; size < text.size(); ++size) {
    const std::string shorter = cut(text, size);
    EXPECT_LE(shorter.size(), size);
    EXPECT_EQ(shorter.find("\n[… cut]") % 2, 0U) << size;
  }
}

}  // namespace
}  // namespace parley::teams
