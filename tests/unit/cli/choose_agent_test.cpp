#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/team_run.hpp"
#include "services/config/yaml.hpp"

namespace parley::cli {
namespace {

using testing::HasSubstr;

host::SuiteConfig suite(const std::string& agents) {
  const auto document = config::parse_yaml("models: {m: {provider: offline}}\nagents:\n" + agents, "team.yaml");
  auto read = host::read_suite(*document);
  EXPECT_TRUE(read) << read.error().str();
  return std::move(*read);
}

const std::string kWriter = "  - {type: writer, kind: assistant}\n";
const std::string kInner = "  - {type: inner, kind: pipeline, participants: [writer]}\n";
const std::string kOuter = "  - {type: outer, kind: pipeline, participants: [inner, writer]}\n";

TEST(ChooseAgent, takes_the_only_team) { EXPECT_EQ(choose_agent(suite(kWriter + kInner), std::nullopt), "inner"); }

TEST(ChooseAgent, takes_the_team_that_is_no_member_of_another) {
  EXPECT_EQ(choose_agent(suite(kWriter + kInner + kOuter), std::nullopt), "outer");
}

TEST(ChooseAgent, takes_the_only_agent) { EXPECT_EQ(choose_agent(suite(kWriter), std::nullopt), "writer"); }

TEST(ChooseAgent, takes_the_named_agent_if_it_is_there) {
  EXPECT_EQ(choose_agent(suite(kWriter + kInner), "writer"), "writer");
  EXPECT_THAT(choose_agent(suite(kWriter + kInner), "x").error().message, HasSubstr("there are writer, inner"));
}

TEST(ChooseAgent, asks_when_it_cannot_tell) {
  const std::string other = "  - {type: other, kind: pipeline, participants: [writer]}\n";
  EXPECT_THAT(choose_agent(suite(kWriter + kInner + other), std::nullopt).error().message,
              HasSubstr("2 teams: choose with --agent one of inner, other"));
  const std::string reader = "  - {type: reader, kind: assistant}\n";
  EXPECT_THAT(choose_agent(suite(kWriter + reader), std::nullopt).error().message, HasSubstr("no team"));
}

std::string chat_partner(const std::string& agents, const std::optional<std::string>& name = std::nullopt) {
  const auto agent = choose_chat_agent(suite(agents), name, "here");
  return agent ? agent->str() : agent.error().message;
}

TEST(ChooseChatAgent, prefers_the_user_proxy) {
  const std::string proxy = "  - {type: user_proxy, kind: user_proxy}\n";
  EXPECT_EQ(chat_partner(kWriter + proxy + kInner), "user_proxy/here");
}

TEST(ChooseChatAgent, takes_the_only_agent_or_team_of_a_file_without_one) {
  EXPECT_EQ(chat_partner(kWriter), "writer/here");
  EXPECT_EQ(chat_partner(kWriter + kInner), "inner/here");
}

TEST(ChooseChatAgent, takes_the_named_agent_and_its_key) {
  EXPECT_EQ(chat_partner(kWriter + kInner, "writer"), "writer/here");
  EXPECT_EQ(chat_partner(kWriter + kInner, "writer/essay-7"), "writer/essay-7");
}

TEST(ChooseChatAgent, names_the_agents_when_it_cannot_tell) {
  const std::string reader = "  - {type: reader, kind: assistant}\n";
  EXPECT_THAT(chat_partner(kWriter + reader), HasSubstr("choose with --chat one of writer, reader"));
  EXPECT_THAT(chat_partner(kWriter + reader, "x"),
              HasSubstr("'x' is no agent of team.yaml (there are writer, reader)"));
}

TEST(OwnTranscript, is_named_after_the_time) {
  EXPECT_EQ(own_transcript_name(WallTime{std::chrono::seconds(1'773'500'966)}), "parley-run-20260314-150926.md");
}

}  // namespace
}  // namespace parley::cli
