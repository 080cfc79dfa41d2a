#include "agents/telemetry/otlp_answer.hpp"

#include <gtest/gtest.h>

namespace parley::telemetry {
namespace {

using Kind = OtlpAnswer::Kind;

TEST(OtlpAnswer, of_200_is_taken_whatever_the_body_is) {
  for (const char* body : {"", "{}", "nonsense", R"({"partialSuccess":null})", R"({"partialSuccess":{}})"}) {
    const OtlpAnswer answer = read_otlp_answer(200, "", body);
    EXPECT_EQ(answer.kind, Kind::taken) << body;
    EXPECT_EQ(answer.rejected, 0U) << body;
  }
}

TEST(OtlpAnswer, tells_how_many_spans_were_refused_of_a_batch) {
  const OtlpAnswer text = read_otlp_answer(200, "", R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}})");
  EXPECT_EQ(text.rejected, 3U);
  EXPECT_EQ(text.reason, "old");
  EXPECT_EQ(read_otlp_answer(200, "", R"({"partialSuccess":{"rejectedSpans":2}})").rejected, 2U);
  for (const char* nonsense : {"-2", R"("-2")", R"("3x")", R"("")", "1.5"}) {
    const std::string body = R"({"partialSuccess":{"rejectedSpans":)" + std::string(nonsense) + "}}";
    EXPECT_EQ(read_otlp_answer(200, "", body).rejected, 0U) << nonsense;
  }
}

TEST(OtlpAnswer, of_a_busy_or_absent_backend_is_to_try_again) {
  for (const int status : {429, 502, 503, 504}) EXPECT_EQ(read_otlp_answer(status, "", "").kind, Kind::later) << status;
  EXPECT_EQ(read_otlp_answer(503, "7", "").retry_after, std::chrono::seconds(7));
  EXPECT_EQ(read_otlp_answer(503, "99999", "").retry_after, std::chrono::seconds(300));
  for (const char* other : {"Wed, 21 Oct 2026 07:28:00 GMT", "-1", ""}) {
    EXPECT_FALSE(read_otlp_answer(503, other, "").retry_after.has_value()) << other;
  }
}

TEST(OtlpAnswer, of_anything_else_is_final) {
  for (const int status : {301, 400, 401, 403, 404, 413, 500}) {
    const OtlpAnswer answer = read_otlp_answer(status, "", "no");
    EXPECT_EQ(answer.kind, Kind::refused) << status;
    EXPECT_FALSE(answer.reason.empty());
  }
}

}  // namespace
}  // namespace parley::telemetry
