#include "monitoring/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <spdlog/spdlog.h>
#include <string>

namespace parley::monitoring {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(LogFields, become_members_of_a_json_object) {
  EXPECT_EQ(log_fields_as_json("event=worker_lost worker=hr/alice reason=\"it \\\"died\\\"\""),
            R"("event":"worker_lost","worker":"hr/alice","reason":"it \"died\"")");
}

TEST(LogFields, numbers_without_quotes_stay_numbers) {
  EXPECT_EQ(log_fields_as_json("event=x idle_ms=1500 cost=0.25 lag=-3 zero=0"),
            R"("event":"x","idle_ms":1500,"cost":0.25,"lag":-3,"zero":0)");
}

TEST(LogFields, what_json_does_not_take_as_a_number_stays_text) {
  for (const char* text : {"1e5", "007", "0x1f", "1.", ".5", "-", "1.2.3", "12345678901234567890", "nan", "1s", "+1"}) {
    EXPECT_EQ(log_fields_as_json("n=" + std::string(text)), "\"n\":\"" + std::string(text) + "\"");
  }
  EXPECT_EQ(log_fields_as_json("key=\"42\""), R"("key":"42")") << "somebody's text is not ours to interpret";
}

TEST(LogFields, a_line_without_fields_is_a_message) {
  EXPECT_EQ(log_fields_as_json("it \"works\""), R"("message":"it \"works\"")");
  EXPECT_EQ(log_fields_as_json(""), R"("message":"")");
}

TEST(LogText, cannot_forge_a_line_or_a_field) { EXPECT_EQ(log_text("a\" b=c\n\x01"), R"("a\" b=c\n\u0001")"); }

struct SetUpLog : testing::Test {
  ~SetUpLog() override { spdlog::set_default_logger(before); }

  /// What a warning and an info line look like.
  static std::string logged(const LogOptions& options) {
    EXPECT_TRUE(set_up_log(options));
    testing::internal::CaptureStderr();
    spdlog::warn("event=slow idle_ms=7");
    spdlog::info("event=seen");
    return testing::internal::GetCapturedStderr();
  }

  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
};

constexpr const char* kTime = "2[0-9-]+T[0-9:.]+Z";

TEST_F(SetUpLog, text_lines_have_time_level_and_fields) {
  EXPECT_THAT(logged({.level = "info", .format = "text"}),
              MatchesRegex(std::string(kTime) + " warn event=slow idle_ms=7\n" + kTime + " info event=seen\n"));
}

TEST_F(SetUpLog, json_lines_are_one_object_each) {
  EXPECT_THAT(logged({.level = "info", .format = "json"}),
              MatchesRegex("\\{\"time\":\"" + std::string(kTime) +
                           "\",\"level\":\"warn\",\"event\":\"slow\",\"idle_ms\":7\\}\n\\{\"time\":\"" + kTime +
                           "\",\"level\":\"info\",\"event\":\"seen\"\\}\n"));
}

TEST_F(SetUpLog, the_level_is_a_floor) {
  EXPECT_THAT(logged({.level = "warn", .format = "text"}), MatchesRegex("[^\n]* warn [^\n]*\n"));
  EXPECT_EQ(logged({.level = "error", .format = "text"}), "");
  EXPECT_EQ(logged({.level = "off", .format = "json"}), "");
}

TEST_F(SetUpLog, another_level_or_format_is_refused_with_the_choices) {
  const auto level = set_up_log({.level = "loud", .format = "text"});
  ASSERT_FALSE(level);
  EXPECT_THAT(level.error().message, HasSubstr("expected error, warn, info, debug or off"));
  const auto format = set_up_log({.level = "info", .format = "xml"});
  ASSERT_FALSE(format);
  EXPECT_THAT(format.error().message, HasSubstr("expected text or json"));
}

}  // namespace
}  // namespace parley::monitoring
