#include "agents/kinds/handoff_tools.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using messages::TurnRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_of(const std::vector<llm::ToolSpec>& specs) {
  std::vector<std::string> names;
  for (const llm::ToolSpec& spec : specs) names.push_back(spec.name);
  return names;
}

TurnRequest turn_with(std::vector<std::string> handoffs) {
  TurnRequest request;
  request.name = "me";
  request.members = {{"me", ""}, {"sales", "sells things"}, {"repairs", ""}};
  request.handoffs = std::move(handoffs);
  return request;
}

TEST(HandoffTools, are_named_after_whom_they_lead_to) {
  const HandoffTools tools({{"sales", "sells things"}, {"repairs"}});
  EXPECT_THAT(names_of(tools.specs()), ElementsAre("transfer_to_sales", "transfer_to_repairs"));
  EXPECT_THAT(tools.specs()[0].description, HasSubstr("sales: sells things"));
  EXPECT_EQ(*tools.target_of("transfer_to_repairs"), "repairs");
  EXPECT_EQ(tools.target_of("sales"), nullptr);
}

TEST(HandoffTools, have_valid_and_distinct_names_whatever_the_members_are_called) {
  const std::string lengthy(100, 'x');
  const HandoffTools tools({{"a.b"}, {"a_b"}, {lengthy + "1"}, {lengthy + "2"}});
  EXPECT_THAT(names_of(tools.specs()),
              ElementsAre("transfer_to_a_b", "transfer_to_a_b_2", "transfer_to_" + std::string(52, 'x'),
                          "transfer_to_" + std::string(50, 'x') + "_2"));
  EXPECT_EQ(*tools.target_of("transfer_to_a_b_2"), "a_b");
  EXPECT_EQ(*tools.target_of(tools.specs()[3].name), lengthy + "2");
}

TEST(Handoffs, of_a_direct_request_are_the_configured_ones) {
  EXPECT_THAT(allowed_handoffs({.targets = {{"sales"}}}), ElementsAre(HandoffTarget{"sales"}));
  EXPECT_THAT(allowed_handoffs({.is_any = true}), IsEmpty()) << "nobody says who there is";
}

TEST(Handoffs, in_a_conversation_are_those_that_both_sides_allow) {
  const HandoffPolicy policy{.targets = {{"sales", "buy here"}, {"legal"}}};
  EXPECT_THAT(allowed_handoffs(policy, turn_with({"sales", "repairs"})),
              ElementsAre(HandoffTarget{"sales", "buy here"}));
  EXPECT_THAT(allowed_handoffs(policy, turn_with({})), IsEmpty());
  EXPECT_THAT(allowed_handoffs({}, turn_with({"sales"})), IsEmpty());
}

TEST(Handoffs, to_anybody_are_all_that_the_conversation_allows_with_their_own_descriptions) {
  EXPECT_THAT(allowed_handoffs({.is_any = true}, turn_with({"sales", "repairs"})),
              ElementsAre(HandoffTarget{"sales", "sells things"}, HandoffTarget{"repairs"}));
}

TEST(Handoffs, never_lead_back_to_the_speaker_and_never_twice_to_one) {
  EXPECT_THAT(allowed_handoffs({.is_any = true}, turn_with({"me", "sales", "sales"})),
              ElementsAre(HandoffTarget{"sales", "sells things"}));
}

TEST(HandoffReason, is_read_from_the_arguments_if_it_is_there) {
  EXPECT_EQ(handoff_reason(R"({"reason":"wants to buy"})"), "wants to buy");
  for (const char* arguments : {"", "{}", "no json", R"({"reason":7})", "[]"}) {
    EXPECT_EQ(handoff_reason(arguments), "") << arguments;
  }
}

}  // namespace
}  // namespace parley::kinds
