#include "libmsg/core/trace_context.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

constexpr const char* kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, is_read_and_written_as_the_same_text) {
  const auto context = TraceContext::parse(kSampled);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span_id_text(context->span), "b7ad6b7169203331");
  EXPECT_TRUE(context->is_sampled);
  EXPECT_EQ(context->str(), kSampled);
}

TEST(TraceContext, keeps_the_decision_not_to_record) {
  const auto context = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  ASSERT_TRUE(context.has_value());
  EXPECT_FALSE(context->is_sampled);
  EXPECT_TRUE(context->str().ends_with("-00"));
}

TEST(TraceContext, reads_the_known_part_of_a_later_version) {
  EXPECT_TRUE(TraceContext::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes").has_value());
  EXPECT_FALSE(TraceContext::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01what").has_value());
}

TEST(TraceContext, is_none_when_the_text_is_malformed) {
  for (const char* text : {"", "00", "hello", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"}) {
    EXPECT_FALSE(TraceContext::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace parley
