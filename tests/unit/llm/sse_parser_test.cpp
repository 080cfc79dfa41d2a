#include "agents/llm/sse_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace parley::llm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// All events of a body that arrives in pieces of the given size.
std::vector<std::string> parse(std::string_view body, std::size_t piece_bytes = 1000) {
  SseParser parser;
  std::vector<std::string> all;
  const auto append = [&](Result<std::vector<std::string>> events) {
    all.insert(all.end(), events->begin(), events->end());
  };
  for (std::size_t at = 0; at < body.size(); at += piece_bytes) append(parser.feed(body.substr(at, piece_bytes)));
  append(parser.finish());
  return all;
}

TEST(SseParser, hands_out_the_data_of_each_event) {
  EXPECT_THAT(parse("data: one\n\ndata: two\n\n"), ElementsAre("one", "two"));
}

TEST(SseParser, joins_the_data_lines_of_an_event) { EXPECT_THAT(parse("data: {\ndata: }\n\n"), ElementsAre("{\n}")); }

TEST(SseParser, takes_every_kind_of_line_end) {
  EXPECT_THAT(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n"), ElementsAre("a", "b", "c"));
}

TEST(SseParser, ignores_comments_and_other_fields) {
  EXPECT_THAT(parse(": ping\n\nevent: x\nid: 7\nretry: 1\ndata: a\n\ndatabase: no\n\n"), ElementsAre("a"));
}

TEST(SseParser, removes_one_space_behind_the_colon_only) {
  EXPECT_THAT(parse("data:a\n\ndata:  b\n\n"), ElementsAre("a", " b"));
}

TEST(SseParser, ignores_a_byte_order_mark) {
  EXPECT_THAT(parse("\xEF\xBB\xBF"
                    "data: a\n\n"),
              ElementsAre("a"));
}

TEST(SseParser, keeps_an_event_that_lacks_its_blank_line) {
  EXPECT_THAT(parse("data: a\n"), ElementsAre("a"));
  EXPECT_THAT(parse("data: a"), ElementsAre("a"));
}

TEST(SseParser, remembers_the_last_whole_events_id_and_the_servers_wish_for_a_pause) {
  SseParser parser;
  ASSERT_TRUE(parser.feed("id: 7\nretry: 250\ndata: a\n\nid: 8\nretry: soon\ndata: b\n"));
  EXPECT_EQ(parser.last_event_id(), "7") << "the second event is not whole yet";
  EXPECT_EQ(parser.retry(), std::chrono::milliseconds(250));
  ASSERT_TRUE(parser.feed("\n:comment\ndata: c\n\n"));
  EXPECT_EQ(parser.last_event_id(), "8");
  EXPECT_FALSE(SseParser().retry());
}

TEST(SseParser, gives_nothing_for_blank_lines) { EXPECT_THAT(parse("\n\n\r\n\r\n"), IsEmpty()); }

TEST(SseParser, gives_an_empty_event_for_empty_data) { EXPECT_THAT(parse("data\n\ndata:\n\n"), ElementsAre("", "")); }

RC_GTEST_PROP(SseParser, does_not_care_how_the_bytes_are_cut, (const std::vector<std::string>& lines)) {
  std::string body = "data: start\r\n\r\n";
  for (const std::string& line : lines) body += "data:" + line + (line.size() % 2 == 0 ? "\r\n\r\n" : "\n\r");
  RC_ASSERT(parse(body, *rc::gen::inRange<std::size_t>(1, 20)) == parse(body));
}

TEST(SseParser, refuses_a_line_beyond_the_limit_although_it_never_ends) {
  SseParser parser(10);
  ASSERT_TRUE(parser.feed("data: 123"));
  const auto refused = parser.feed("45");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
}

TEST(SseParser, refuses_an_event_of_too_many_lines) {
  SseParser parser(10);
  ASSERT_TRUE(parser.feed("data: 123\ndata: 456\n"));
  EXPECT_FALSE(parser.feed("data: 789\n"));
}

}  // namespace
}  // namespace parley::llm
