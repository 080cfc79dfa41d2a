// The settings of models: providers, guards, chains.
#include "agents/host/model_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_task.hpp"
#include "tests/unit/agents/scripted_model.hpp"

namespace parley::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

config::Loaded<AgentsConfig> config_of(const std::string& models) {
  const auto document = config::parse_yaml(
      "models:\n" + models + "agents: [{type: hr, kind: assistant, model: main}]\n", "/etc/parley/desk.yaml");
  if (!document) return std::unexpected(document.error());
  return read_agents(*document);
}

std::string problems_of(const std::string& models) {
  const auto config = config_of(models);
  return config ? "none" : config.error().str();
}

TEST(ModelConfig, knows_every_provider_and_guard) {
  const auto config = config_of(R"yaml(
  fast: {provider: openai, model: gpt-x, max_concurrency: 32, circuit_breaker: {failures: 3, open_for: 5s},
         retry: {max_retries: 1, first_backoff: 100ms}, cache: {ttl: 10m}, structured_output: json_object,
         stream_usage: false, extra_body: {reasoning_effort: low}, record: fast.jsonl}
  claude: {provider: anthropic, model: claude-x, max_tokens: 1000, thinking_tokens: 2000, prompt_cache: false,
           beta: context-1m, max_retries: 5, max_concurrency: {calls: 4, max_waiting: 10, max_wait: 5s}}
  old: {provider: replay, file: old.jsonl, match: request}
  calm: {provider: offline, cache: {}}
  main: {provider: fallback, models: [fast, claude], context_window: [claude], content_policy: old}
)yaml");
  ASSERT_TRUE(config) << config.error().str();
  EXPECT_EQ(config->models.at("claude").provider, "anthropic");
  EXPECT_EQ(config->models.at("claude").model, "claude-x");
  EXPECT_EQ(config->models.at("claude").output, (llm::OutputTokens{1000, 2000}));
  EXPECT_EQ(config->models.at("old").price, llm::ModelPrice{});
  EXPECT_THAT(config->models.at("main").chains.members, ElementsAre("fast", "claude"));
  EXPECT_THAT(with_members("main", config->models), ElementsAre("main", "fast", "claude", "old"));
}

TEST(ModelConfig, tells_all_problems_of_a_model_at_once) {
  const std::string problems = problems_of(R"yaml(
  main: {provider: anthropic, thinking_tokens: 5, max_concurrency: {calls: 0, max: 1}, circuit_breaker: {failures: x},
         retry: {max_retries: 21, first_backoff: 9s, max_backoff: 1s}, cache: {ttl: 0s}, extra_body: [1],
         base_url: "ftp://x", max_tokens: 0, record: ""}
)yaml");
  for (const char* part :
       {"main.model: expected a text", "main.thinking_tokens: '", "main.max_concurrency.calls: '0'",
        "main.max_concurrency.max: unknown key", "main.circuit_breaker.failures: 'x'", "main.retry.max_retries: '21'",
        "main.retry.max_backoff: '1s': expected at least `first_backoff`", "main.cache.ttl: '0s'",
        "main.extra_body: expected a map", "main.base_url: 'ftp://x'", "main.max_tokens: '", "main.record"}) {
    EXPECT_THAT(problems, HasSubstr(part));
  }
}

TEST(ModelConfig, sends_no_key_over_plain_http_unless_told_insecure) {
  EXPECT_THAT(problems_of("  main: {provider: openai, model: x, base_url: 'http://models.example/v1'}\n"),
              AllOf(HasSubstr("desk.yaml:2: models.main.base_url: 'http://models.example/v1': expected https"),
                    HasSubstr("insecure: true")));
  for (const char* settings :
       {"base_url: 'http://models.example/v1', insecure: true", "base_url: 'http://models.example/v1', api_key_env: ''",
        "base_url: 'http://127.0.0.1:11434/v1'", "base_url: 'https://models.example/v1'"}) {
    EXPECT_EQ(problems_of("  main: {provider: openai, model: x, " + std::string(settings) + "}\n"), "none") << settings;
  }
}

TEST(ModelConfig, takes_no_further_field_that_undoes_a_budget) {
  for (const char* key : {"max_tokens", "max_completion_tokens", "n", "model"}) {
    const std::string problems =
        problems_of("  main: {provider: openai, model: x, extra_body: {" + std::string(key) + ": 5}}\n");
    EXPECT_THAT(problems, AllOf(HasSubstr("main.extra_body"), HasSubstr("no '" + std::string(key) + "'"))) << key;
  }
  EXPECT_THAT(problems_of("  main: {provider: anthropic, model: x, extra_body: '{\"max_tokens\": 9}'}\n"),
              HasSubstr("no 'max_tokens'"));
}

TEST(ModelConfig, wants_chains_of_models_that_are_there) {
  EXPECT_THAT(problems_of(R"yaml(
  fast: {provider: offline}
  main: {provider: fallback, models: [fats]}
)yaml"),
              AllOf(HasSubstr("desk.yaml:4: models.main"), HasSubstr("'fats' is none (did you mean 'fast'?)")));
  EXPECT_THAT(problems_of("  main: {provider: fallback}\n"), HasSubstr("main.models: expected a list"));
}

TEST(ModelConfig, wants_chains_to_have_an_end) {
  EXPECT_THAT(problems_of(R"yaml(
  main: {provider: fallback, models: [other]}
  other: {provider: fallback, models: [leaf], context_window: [main]}
  leaf: {provider: offline}
)yaml"),
              AllOf(HasSubstr("'other' leads back to this model"), HasSubstr("'main' leads back to this model")));
  EXPECT_THAT(problems_of("  main: {provider: fallback, models: [main]}\n"), HasSubstr("'main' leads back"));
}

TEST(ModelConfig, takes_a_cap_a_breaker_and_a_cache_around_a_chain) {
  const auto config = config_of(R"yaml(
  leaf: {provider: offline}
  main: {provider: fallback, models: [leaf], cache: {}, max_concurrency: 2, circuit_breaker: {failures: 3}}
)yaml");
  ASSERT_TRUE(config) << config.error().str();
  asio::io_context io;
  const SystemClock clock;
  SeededRandom random{1};
  ModelServices services{io, clock, random};
  const auto chain = std::make_shared<test::ScriptedModel>();
  chain->will_answer("hello");
  const auto model = config->models.at("main").guard(chain, "main/hr", services);
  for (int i = 0; i < 2; ++i) {
    llm::ChatRequest request;
    request.messages = {{llm::Role::user, "Hi"}};
    const auto answer = test::run_task(io, model->complete(std::move(request), {}));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text, "hello") << "the second time from the cache";
  }
}

TEST(ModelConfig, leaves_retries_and_recordings_to_the_models_of_a_chain) {
  EXPECT_THAT(problems_of(R"yaml(
  leaf: {provider: offline}
  main: {provider: fallback, models: [leaf], retry: {}, record: x.jsonl}
)yaml"),
              AllOf(HasSubstr("main.retry: unknown key"), HasSubstr("main.record: unknown key")));
}

}  // namespace
}  // namespace parley::host
