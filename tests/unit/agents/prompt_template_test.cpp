#include "agents/kinds/prompt_template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using testing::HasSubstr;

std::string rendered(std::string_view text, const PromptValues& values) {
  const std::vector<std::string> known{"agent", "date", "style"};
  const Result<PromptTemplate> parsed = PromptTemplate::parse(text, known);
  return parsed ? parsed->render(values) : "error: " + parsed.error().message;
}

TEST(PromptTemplate, fills_in_each_name) {
  EXPECT_EQ(rendered("{{agent}}, it is {{ date }}: {{agent}}.", {{"agent", "hr"}, {"date", "today"}}),
            "hr, it is today: hr.");
}

TEST(PromptTemplate, leaves_other_braces_alone) {
  EXPECT_EQ(rendered(R"(say {"a": {"b": 1}} and { } or }})", {}), R"(say {"a": {"b": 1}} and { } or }})");
}

TEST(PromptTemplate, takes_escaped_braces_as_they_are) {
  EXPECT_EQ(rendered(R"(\{{agent}} is {{agent}})", {{"agent", "hr"}}), "{{agent}} is hr");
}

TEST(PromptTemplate, does_not_look_into_what_it_fills_in) {
  EXPECT_EQ(rendered("{{style}}", {{"style", "{{agent}}"}, {"agent", "hr"}}), "{{agent}}");
}

TEST(PromptTemplate, fills_in_nothing_for_a_name_without_a_value) { EXPECT_EQ(rendered("a{{date}}b", {}), "ab"); }

TEST(PromptTemplate, refuses_a_name_that_nobody_knows_and_names_the_nearest) {
  EXPECT_THAT(rendered("{{agnt}}", {}), HasSubstr("did you mean '{{agent}}'?"));
  EXPECT_THAT(rendered("{{}}", {}), HasSubstr("nothing to fill in for '{{}}'"));
}

TEST(PromptTemplate, refuses_braces_without_an_end) {
  EXPECT_THAT(rendered("{{agent", {}), HasSubstr("expected '}}'"));
}

TEST(PromptTemplate, knows_what_it_uses) {
  const std::vector<std::string> known{"agent", "date"};
  const PromptTemplate parsed = *PromptTemplate::parse("date {{agent}}", known);
  EXPECT_TRUE(parsed.uses("agent"));
  EXPECT_FALSE(parsed.uses("date"));
}

}  // namespace
}  // namespace parley::kinds
