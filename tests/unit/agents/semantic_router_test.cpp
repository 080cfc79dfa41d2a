// The pure parts of the router; what it does on a runtime is in help_desk_test.cpp.
#include "agents/kinds/semantic_router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using testing::HasSubstr;

const std::vector<Route> kRoutes{{"HR", "hr", "holidays and contracts"}, {"finance", "fin", "money"}};

TEST(RouteNamedBy, accepts_one_name_in_any_case_and_wrapping) {
  for (const char* answer : {"HR", "hr", " hr\n", "\"HR\"", "HR.", "`hr`", "**HR**", "- hr"}) {
    EXPECT_EQ(route_named_by(answer, kRoutes), 0U) << answer;
  }
  EXPECT_EQ(route_named_by("Finance", kRoutes), 1U);
}

TEST(RouteNamedBy, takes_anything_else_as_unknown) {
  for (const char* answer : {"", "unknown", "legal", "HR or finance", "I think it is HR", "hr finance", "fin", "..."}) {
    EXPECT_EQ(route_named_by(answer, kRoutes), std::nullopt) << answer;
  }
}

TEST(AskForIntent, lists_what_the_router_can_do) {
  const std::string question = ask_for_intent(kRoutes);
  EXPECT_THAT(question, HasSubstr("- HR: holidays and contracts\n"));
  EXPECT_THAT(question, HasSubstr("- finance: money\n"));
  EXPECT_TRUE(question.ends_with('?'));
}

TEST(RoutingPrompt, names_every_route_and_the_way_out) {
  const std::string prompt = routing_prompt(kRoutes);
  EXPECT_THAT(prompt, HasSubstr("- HR: holidays and contracts\n"));
  EXPECT_THAT(prompt, HasSubstr("answer unknown"));
}

}  // namespace
}  // namespace parley::kinds
