#include "libmsg/net/refuse.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::net {
namespace {

using wire::Kind;

ByteBuffer batch(const std::vector<std::pair<Kind, std::uint64_t>>& envelopes) {
  ByteBuffer out;
  for (const auto& [kind, id] : envelopes) EXPECT_TRUE(wire::append_envelope(out, {.kind = kind, .message_id = id}));
  return out;
}

TEST(Refuse, answers_every_message_that_somebody_waits_for) {
  const ByteBuffer refused = batch({{Kind::request, 1}, {Kind::send, 2}, {Kind::event, 3}, {Kind::subscribe, 4}});
  const Refused result = refuse(refused.bytes(), {ErrorCode::overloaded, "full"});
  auto bundle = wire::BundleReader::open(result.answers.bytes());
  ASSERT_TRUE(bundle);
  EXPECT_TRUE(bundle->token().is_zero());
  for (std::uint64_t id = 1; id <= 4; ++id) {
    const auto answer = bundle->next();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind(), Kind::error);
    EXPECT_EQ(answer->message_id(), MessageId(id));
    EXPECT_EQ(answer->code(), ErrorCode::overloaded);
    EXPECT_EQ(as_text(answer->payload()), "full");
  }
  EXPECT_FALSE(bundle->next());
  EXPECT_TRUE(result.rest.is_empty());
}

TEST(Refuse, leaves_replies_to_be_tried_again_and_forgets_cancels) {
  const ByteBuffer refused = batch({{Kind::reply, 0}, {Kind::request, 1}, {Kind::cancel, 1}, {Kind::done, 0}});
  const Refused result = refuse(refused.bytes(), {ErrorCode::overloaded, "full"});
  EXPECT_EQ(result.rest.text(), batch({{Kind::reply, 0}, {Kind::done, 0}}).text());
}

TEST(Refuse, has_no_answers_when_nobody_waits) {
  EXPECT_TRUE(refuse(batch({{Kind::part, 0}}).bytes(), {ErrorCode::overloaded, "full"}).answers.is_empty());
}

ByteBuffer answers(const std::vector<std::pair<Kind, std::uint64_t>>& envelopes) {
  ByteBuffer out;
  for (const auto& [kind, delivery] : envelopes) {
    EXPECT_TRUE(wire::append_envelope(out, {.kind = kind, .delivery_id = delivery}));
  }
  return out;
}

// [P-PART-1]
TEST(Shorten, ends_each_stream_that_lost_a_part_with_one_error) {
  const ByteBuffer lost =
      answers({{Kind::part, 1}, {Kind::part, 1}, {Kind::reply, 1}, {Kind::reply, 2}, {Kind::error, 3}});
  const ByteBuffer kept = shorten(lost.bytes(), {ErrorCode::overloaded, "full"});
  Bytes rest = kept.bytes();
  for (std::uint64_t delivery = 1; delivery <= 3; ++delivery) {
    const auto envelope = wire::EnvelopeView::parse(rest);
    ASSERT_TRUE(envelope);
    EXPECT_EQ(envelope->kind(), Kind::error);
    EXPECT_EQ(envelope->delivery_id(), DeliveryId(delivery));
    rest = rest.subspan(envelope->length());
  }
  EXPECT_TRUE(rest.empty());
}

TEST(Shorten, keeps_what_is_small_by_nature) {
  const ByteBuffer lost = answers({{Kind::done, 0}, {Kind::deactivated, 9}});
  EXPECT_EQ(shorten(lost.bytes(), {ErrorCode::overloaded, "full"}).text(), lost.text());
}

}  // namespace
}  // namespace parley::net
