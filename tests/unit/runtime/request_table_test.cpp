#include "libmsg/runtime/request_table.hpp"

#include <gmock/gmock.h>
#include <string>

namespace parley {
namespace {

using Table = RequestTable<std::string>;

TimePoint at(int ms) { return TimePoint(std::chrono::milliseconds(ms)); }

std::vector<std::string> names(const std::vector<Table::Taken>& taken) {
  std::vector<std::string> calls;
  for (const auto& entry : taken) calls.push_back(entry.call);
  return calls;
}

TEST(RequestTable, numbers_ascend_and_are_never_zero) {
  Table table;
  const MessageId first = table.add("a", at(10));
  table.take(first);
  const MessageId second = table.add("b", at(10));
  EXPECT_FALSE(first.is_zero());
  EXPECT_LT(first, second);
  EXPECT_LT(second, table.next_id());
}

TEST(RequestTable, gives_a_call_out_once) {
  Table table;
  const MessageId id = table.add("a", at(10));
  EXPECT_EQ(table.take(id), "a");
  EXPECT_FALSE(table.take(id).has_value());
  EXPECT_TRUE(table.is_empty());
}

TEST(RequestTable, answered_call_does_not_expire) {
  Table table;
  table.take(table.add("a", at(10)));
  EXPECT_FALSE(table.take_expired(at(100)).has_value());
  EXPECT_EQ(table.next_deadline(), TimePoint::max());
}

TEST(RequestTable, expired_call_cannot_be_answered) {
  Table table;
  const MessageId id = table.add("a", at(10));
  EXPECT_FALSE(table.take_expired(at(9)).has_value());
  const auto expired = table.take_expired(at(10));
  ASSERT_TRUE(expired.has_value());
  EXPECT_EQ(expired->id, id);
  EXPECT_FALSE(table.take(id).has_value());
}

TEST(RequestTable, expires_the_earliest_deadline_first) {
  Table table;
  table.add("late", at(20));
  table.add("early", at(10));
  EXPECT_EQ(table.next_deadline(), at(10));
  EXPECT_EQ(table.take_expired(at(30))->call, "early");
  EXPECT_EQ(table.take_expired(at(30))->call, "late");
}

TEST(RequestTable, call_without_a_deadline_waits_for_ever) {
  Table table;
  const MessageId id = table.add("a", TimePoint::max());
  EXPECT_FALSE(table.take_expired(at(1'000'000)).has_value());
  EXPECT_EQ(table.take(id), "a");
}

TEST(RequestTable, lost_session_ends_what_was_sent_and_keeps_the_rest) {
  Table table;
  table.add("a", at(10));
  const MessageId last_sent = table.add("b", at(10));
  table.add("c", at(10));
  EXPECT_THAT(names(table.take_sent(last_sent)), ::testing::ElementsAre("a", "b"));
  EXPECT_EQ(table.size(), 1U);
}

TEST(RequestTable, nothing_sent_means_nothing_lost) {
  Table table;
  table.add("a", at(10));
  EXPECT_TRUE(table.take_sent(MessageId()).empty());
}

TEST(RequestTable, take_if_goes_by_ascending_ids) {
  Table table;
  for (const char* name : {"a", "b", "c", "d"}) table.add(name, at(10));
  const auto taken = table.take_if([](MessageId, const std::string& call) { return call != "b"; });
  EXPECT_THAT(names(taken), ::testing::ElementsAre("a", "c", "d"));
}

}  // namespace
}  // namespace parley
