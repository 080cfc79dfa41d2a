#include "agents/kinds/running_summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/kinds/clip_text.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using testing::HasSubstr;

TEST(RunningSummary, is_asked_for_with_the_earlier_one_and_all_that_was_said_and_done) {
  const std::vector<ChatMessage> talked{{Role::user, "how much?"},
                                        {Role::assistant, "", {{"1", "lookup", R"({"id":7})"}}},
                                        {Role::tool, "42", {}, "1"},
                                        {Role::assistant, "42 euros"}};
  const std::vector<ChatMessage> asked = summary_messages({.prompt = "Sum up."}, "They met.", talked);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0], (ChatMessage{Role::system, "Sum up."}));
  EXPECT_EQ(asked[1].content,
            "Summary of what came before:\nThey met.\n\nConversation:\nuser: how much?\n"
            "assistant uses lookup {\"id\":7}\nresult: 42\nassistant: 42 euros\n");
}

TEST(RunningSummary, has_no_more_of_a_long_result_than_its_beginning) {
  const std::vector<ChatMessage> talked{{Role::tool, std::string(100'000, 'x'), {}, "1"}};
  EXPECT_LT(summary_messages({}, "", talked)[1].content.size(), 3'000U);
}

TEST(RunningSummary, stands_behind_the_system_prompt) {
  EXPECT_EQ(with_summary("Be brief.", ""), "Be brief.");
  EXPECT_EQ(with_summary("Be brief.", "They met."), "Be brief.\n\nSummary of the earlier conversation:\nThey met.");
  EXPECT_EQ(with_summary("", "They met."), "Summary of the earlier conversation:\nThey met.");
}

TEST(ClipText, leaves_what_fits) { EXPECT_EQ(clip_text("short", 5), "short"); }

TEST(ClipText, cuts_between_characters_and_shows_it) {
  const std::string cut = clip_text("ööööööööööööööö", 14);
  EXPECT_LE(cut.size(), 14U);
  EXPECT_THAT(cut, HasSubstr("ö […]"));
  EXPECT_LE(clip_text("much too long", 2).size(), 2U);
}

}  // namespace
}  // namespace parley::kinds
