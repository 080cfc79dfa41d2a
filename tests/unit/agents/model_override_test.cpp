// Models of the command line in the place of a file's.
#include "agents/host/model_override.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/host/agents_config.hpp"

namespace parley::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSuite = R"(
models:
  fast: {provider: offline, price: {input_per_million_usd: 1, output_per_million_usd: 2}}
  slow: {provider: offline}
  main: {provider: fallback, models: [fast, slow]}
workers:
  - name: desk
    models: {own: {provider: offline}}
    agents: [{type: hr, kind: assistant, model: main}]
)";

config::Loaded<SuiteConfig> suite_with(const std::vector<std::string>& models) {
  const auto overrides = read_model_overrides(models);
  if (!overrides) return std::unexpected(overrides.error());
  auto document = config::parse_yaml(kSuite, "/nowhere/parley.yaml");
  override_models(*document, *overrides);
  return read_suite(*document, *overrides);
}

TEST(ModelOverride, puts_one_model_in_the_place_of_all_but_chains) {
  const auto suite = suite_with({"*=openai:gpt-x:latest"});
  ASSERT_TRUE(suite) << suite.error().str();
  const auto& models = suite->workers.at(0).config.models;
  for (const char* name : {"fast", "slow", "own"}) {
    EXPECT_EQ(models.at(name).provider, "openai") << name;
    EXPECT_EQ(models.at(name).model, "gpt-x:latest") << name;
    EXPECT_FALSE(models.at(name).price) << "another model has another price";
  }
  EXPECT_EQ(models.at("main").provider, "fallback");
}

TEST(ModelOverride, prefers_a_name_to_the_star_and_takes_every_setting) {
  const auto suite = suite_with(
      {"*=openai:gpt-x",
       "slow={provider: anthropic, model: claude-x, price: {input_per_million_usd: 3, output_per_million_usd: 4}}"});
  ASSERT_TRUE(suite) << suite.error().str();
  const auto& models = suite->workers.at(0).config.models;
  EXPECT_EQ(models.at("fast").model, "gpt-x");
  EXPECT_EQ(models.at("slow").model, "claude-x");
  EXPECT_TRUE(models.at("slow").price);
}

TEST(ModelOverride, is_passed_on_to_the_processes_of_the_workers) {
  const auto suite = suite_with({"slow=openai:gpt-x"});
  ASSERT_TRUE(suite) << suite.error().str();
  EXPECT_THAT(suite->workers.at(0).arguments,
              ElementsAre("--config", "/nowhere/parley.yaml", "--worker", "desk", "--model", "slow=openai:gpt-x"));
}

TEST(ModelOverride, tells_all_that_is_wrong_with_it) {
  const auto overrides = read_model_overrides({"gpt-x", "a=opnai:x", "b={provider: openai, modle: y}", "c={"});
  ASSERT_FALSE(overrides);
  EXPECT_THAT(overrides.error().str(),
              AllOf(HasSubstr("'gpt-x': expected NAME=PROVIDER:MODEL"), HasSubstr("--model a:1: provider: 'opnai'"),
                    HasSubstr("--model b:1: modle: unknown key"), HasSubstr("--model c")));
}

TEST(ModelOverride, of_a_model_that_is_nowhere_is_a_problem) {
  const auto overrides = read_model_overrides({"poet=openai:gpt-x"});
  ASSERT_TRUE(overrides) << overrides.error().str();
  const auto suite = load_suite(PARLEY_SOURCE_DIR "/agents/examples/helpdesk/parley.yaml", *overrides);
  ASSERT_FALSE(suite);
  EXPECT_THAT(suite.error().str(), AllOf(HasSubstr("'poet'"), HasSubstr("there are finance_model, hr_model")));
}

}  // namespace
}  // namespace parley::host
