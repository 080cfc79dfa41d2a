#include "agents/host/agents_config.hpp"

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/host/deployment.hpp"
#include "agents/host/price_check.hpp"
#include "services/config/yaml.hpp"

namespace parley::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

config::Loaded<SuiteConfig> suite_of(std::string_view text) {
  return read_suite(*config::parse_yaml(text, "/nowhere/parley.yaml"));
}
config::Loaded<AgentsConfig> agents_of(std::string_view text) {
  return read_agents(*config::parse_yaml(text, "/nowhere/desk.yaml"));
}

constexpr std::string_view kAgents = R"(
broker: ipc:///tmp/p/broker.sock
memory_limit: 512MiB
max_activations: 500
max_saved_states: 1000
max_saved_state_bytes: 64MiB
models: {main: {provider: offline}}
agents:
  - type: hr
    kind: assistant
    capabilities: [answers]
    capacity: 10
    idle_timeout: 5m
    handler_progress_timeout: 90s
    subscriptions: [questions, "news.*"]
)";

TEST(AgentsFile, gives_types_options_and_subscriptions) {
  const auto agents = agents_of(kAgents);
  ASSERT_TRUE(agents) << agents.error().str();
  EXPECT_EQ(agents->name, "desk") << "the file's name, for want of another";
  EXPECT_EQ(agents->broker, "ipc:///tmp/p/broker.sock");
  const AgentConfig& hr = agents->agents.at(0);
  EXPECT_EQ(hr.type, "hr");
  EXPECT_THAT(hr.options.capabilities, ElementsAre("answers"));
  EXPECT_EQ(hr.options.capacity, 10U);
  EXPECT_EQ(hr.options.idle_timeout, std::chrono::minutes(5));
  EXPECT_EQ(hr.options.progress_timeout, std::chrono::seconds(90));
  EXPECT_EQ(agents->memory_limit_bytes, std::uint64_t{512} << 20U);
  EXPECT_EQ(agents->limits.max_activations, 500U);
  EXPECT_EQ(agents->limits.max_saved_states, 1000U);
  EXPECT_EQ(agents->limits.max_saved_bytes, std::size_t{64} << 20U);
  EXPECT_EQ(hr.subscriptions.at(1).type, "news.");
  EXPECT_TRUE(hr.subscriptions.at(1).is_prefix);
  EXPECT_THAT(hr.models, ElementsAre("main")) << "the only model needs no name";
}

TEST(AgentsFile, an_endpoint_that_is_none_is_a_problem_with_a_line) {
  for (const char* broker : {"broker: nonsense", "broker:\n  endpoint: nonsense"}) {
    const auto agents = agents_of("name: x\n" + std::string(broker) + "\nagents: [{type: you, kind: user_proxy}]\n");
    ASSERT_FALSE(agents);
    EXPECT_THAT(agents.error().str(), HasSubstr(": 'nonsense': expected ipc:///absolute/path or tcp://host:port"));
    EXPECT_GE(agents.error().items().front().line, 2);
  }
}

TEST(SuiteFile, an_endpoint_beyond_this_machine_needs_insecure) {
  const auto reach = [](std::string_view broker) {
    const auto suite = suite_of("broker: " + std::string(broker) + "\nagents: [{type: you, kind: user_proxy}]\n");
    return suite ? check_reach(*suite).str() : suite.error().str();
  };
  EXPECT_THAT(reach("tcp://192.0.2.1:1"), HasSubstr("parley.yaml:1: broker: 'tcp://192.0.2.1:1': reaches beyond"));
  EXPECT_EQ(reach("{endpoint: 'tcp://192.0.2.1:1', insecure: true}"), "");
  EXPECT_EQ(reach("tcp://127.0.0.1:1"), "");
}

TEST(AgentsFile, wants_room_for_at_least_one_agent_and_one_state) {
  for (const char* key : {"max_activations", "max_saved_states", "max_saved_state_bytes"}) {
    const auto agents = agents_of(std::string(key) + ": 0\n" +
                                  "models: {main: {provider: offline}}\nagents: [{type: hr, kind: assistant}]\n");
    ASSERT_FALSE(agents) << key;
    EXPECT_NE(agents.error().str().find(key), std::string::npos) << agents.error().str();
  }
}

TEST(AgentsFile, wants_sizes_with_a_unit_and_sane_time_limits) {
  for (const char* size : {"512", "512MB", "0MiB", "-1GiB", "9999999999GiB", "GiB"}) {
    std::string text = "memory_limit: " + std::string(size);
    text +=
        "\nmodels: {main: {provider: offline}}\nagents: [{type: hr, kind: assistant, handler_progress_timeout: 5ms}]\n";
    const auto agents = agents_of(text);
    ASSERT_FALSE(agents) << size;
    EXPECT_NE(agents.error().str().find("memory_limit"), std::string::npos) << agents.error().str();
    EXPECT_NE(agents.error().str().find("handler_progress_timeout"), std::string::npos) << agents.error().str();
  }
}

TEST(AgentsFile, tells_all_its_problems_at_once) {
  const auto agents = agents_of(R"(nmae: x
models:
  main: {provider: ofline}
  other: {provider: offline, rules: [{regex: "(", reply: x}, {reply: y}]}
agents:
  - {type: hr, kind: assistnt}
  - {type: "a/b", kind: assistant, model: mian, capacity: 0}
  - {type: hr, kind: user_proxy, timeout: 5, end_wrod: x}
  - {kind: semantic_router, routes: [{name: a, phrases: [money]}, {name: b, phrases: [Money]}]}
)");
  ASSERT_FALSE(agents);
  const std::string text = agents.error().str();
  for (const char* part :
       {"desk.yaml:1: nmae: unknown key (did you mean 'name'?)", "desk.yaml:3: models.main.provider: 'ofline'",
        "desk.yaml:4: models.other.rules", "desk.yaml:4: models.other.rules[1]: expected a condition",
        "desk.yaml:6: agents[0].kind: 'assistnt': expected one of assistant, ", "desk.yaml:7: agents[1].type: 'a/b'",
        "desk.yaml:7: agents[1].capacity: '0'",
        "desk.yaml:7: agents[1].model: 'mian': expected the name of one of the models of this file (did you mean "
        "'main'?)",
        "desk.yaml:8: agents[2].type: 'hr': expected each agent type once", "desk.yaml:8: agents[2].timeout: '5'",
        "desk.yaml:8: agents[2].end_wrod: unknown key (did you mean 'end_word'?)",
        "desk.yaml:9: agents[3].type: expected a text, and the key is missing",
        "desk.yaml:9: agents[3].routes[1].phrases: 'Money': expected a phrase that no other route has"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(AgentsFile, gives_the_prices_of_its_models) {
  const auto agents = agents_of(R"(
models:
  exact: {provider: openai, model: gpt-x, price: {input_per_million_usd: 0.15, output_per_million_usd: 0.6,
                                                  cached_input_per_million_usd: 0.0375}}
  plain: {provider: openai, model: gpt-y, price: {input_per_million_usd: 3, output_per_million_usd: 15}}
  none: {provider: openai, model: gpt-z}
  off: {provider: offline}
agents: [{type: hr, kind: assistant, model: exact}]
)");
  ASSERT_TRUE(agents) << agents.error().str();
  EXPECT_EQ(agents->models.at("exact").model, "gpt-x");
  EXPECT_EQ(agents->models.at("exact").price, (llm::ModelPrice{150'000, 37'500, 600'000}));
  EXPECT_EQ(agents->models.at("plain").price, (llm::ModelPrice{3'000'000, 3'000'000, 15'000'000}));
  EXPECT_EQ(agents->models.at("none").price, std::nullopt);
  EXPECT_EQ(agents->models.at("off").price, llm::ModelPrice{});
}

TEST(AgentsFile, gives_prices_of_cache_writes_and_tiers) {
  const auto agents = agents_of(R"(
models:
  gpt:
    provider: openai
    model: gpt-x
    price:
      input_per_million_usd: 3
      output_per_million_usd: 15
      cache_write_per_million_usd: 3.75
      tiers: [{above_input_tokens: 200000, input_per_million_usd: 6, output_per_million_usd: 22.5}]
agents: [{type: hr, kind: assistant, model: gpt, system_prompt: Be kind.}]
)");
  ASSERT_TRUE(agents) << agents.error().str();
  const llm::ModelPrice expected{
      3'000'000, 3'000'000, 15'000'000, 3'750'000, {{200'000, 6'000'000, 6'000'000, 22'500'000}}};
  EXPECT_EQ(agents->models.at("gpt").price, expected);
}

TEST(AgentsFile, refuses_half_a_price) {
  const auto agents = agents_of(R"(
models: {gpt: {provider: openai, model: x, price: {input_per_million_usd: -1, inputs: 2}}}
agents: [{type: hr, kind: assistant}]
)");
  ASSERT_FALSE(agents);
  const std::string text = agents.error().str();
  EXPECT_THAT(text, HasSubstr("models.gpt.price.input_per_million_usd: '-1': expected a number from 0 to"));
  EXPECT_THAT(text, HasSubstr("models.gpt.price.output_per_million_usd: expected a number"));
  EXPECT_THAT(text, HasSubstr("models.gpt.price.inputs: unknown key"));
}

TEST(AgentsFile, says_that_a_suite_is_something_else) {
  const auto agents = agents_of("workers: []\n");
  ASSERT_FALSE(agents);
  EXPECT_THAT(agents.error().str(), HasSubstr("this is a suite: name one of its workers with --worker"));
}

TEST(AgentsFile, refuses_an_expression_that_would_blow_up) {
  const auto with_regex = [](const std::string& regex) {
    return agents_of("models: {m: {provider: offline, rules: [{regex: \"" + regex +
                     "\", reply: x}]}}\nagents: [{type: hr, kind: assistant}]\n");
  };
  for (const char* regex :
       {"((a{1,99}){1,99}){1,99}", "a{1001}", "(a{32}){32}", "(a{99,}){99,}", "a{99999999999999999999}{9}{999}{9}"}) {
    EXPECT_FALSE(with_regex(regex)) << regex;
  }
  for (const char* regex : {"a{1000}", "(a{10}b){10,}", "a{2,3}", "a"}) {
    EXPECT_TRUE(with_regex(regex)) << regex;
  }
}

constexpr std::string_view kSuite = R"(
broker: {endpoint: "tcp://127.0.0.1:7700", metrics_port: 9100}
models: {shared: {provider: offline}}
workers:
  - name: one
    metrics_port: 9101
    agents: [{type: hr, kind: assistant, model: shared}]
  - name: two
    models: {own: {provider: offline}}
    agents: [{type: finance, kind: assistant, model: own}]
)";

TEST(SuiteFile, gives_broker_and_workers_with_the_way_to_start_them) {
  const auto suite = suite_of(kSuite);
  ASSERT_TRUE(suite) << suite.error().str();
  EXPECT_EQ(suite->broker.endpoint, "tcp://127.0.0.1:7700");
  EXPECT_EQ(suite->broker.metrics_port, 9100);
  ASSERT_EQ(suite->workers.size(), 2U);
  EXPECT_EQ(suite->workers[0].config.broker, "tcp://127.0.0.1:7700");
  EXPECT_EQ(suite->workers[0].config.metrics_port, 9101);
  EXPECT_THAT(suite->workers[1].arguments, ElementsAre("--config", "/nowhere/parley.yaml", "--worker", "two"));
}

TEST(SuiteFile, tells_all_its_problems_at_once) {
  const auto suite = suite_of(R"(
broker: {endpiont: x}
workers:
  - {name: one, agents: []}
  - {name: one, agents: [{type: hr, kind: user_proxy}]}
  - {name: three, config: missing.yaml, agents: []}
  - {}
)");
  ASSERT_FALSE(suite);
  const std::string text = suite.error().str();
  for (const char* part :
       {":2: broker.endpiont: unknown key (did you mean 'endpoint'?)",
        ":4: workers[0].agents: expected a list with at least one agent", ":5: workers[1].name: 'one': expected each",
        "/nowhere/missing.yaml: cannot be read: No such file or directory", ":6: workers[2].agents: unknown key",
        ":7: workers[3].name: expected a text, and the key is missing"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(SuiteFile, may_be_an_agents_file) {
  const auto suite = suite_of(kAgents);
  ASSERT_TRUE(suite) << suite.error().str();
  EXPECT_EQ(suite->workers.size(), 1U);
  EXPECT_THAT(suite->workers[0].arguments, ElementsAre("--config", "/nowhere/parley.yaml"));
}

TEST(HelpDeskExample, is_a_valid_suite_of_four_workers) {
  const auto suite = load_suite(PARLEY_SOURCE_DIR "/agents/examples/helpdesk/parley.yaml");
  ASSERT_TRUE(suite) << suite.error().str();
  EXPECT_EQ(suite->workers.size(), 4U);
}

TEST(HelpDeskExample, has_workers_that_can_be_started_by_name) {
  const std::filesystem::path file = PARLEY_SOURCE_DIR "/agents/examples/helpdesk/parley.yaml";
  const auto worker = load_agents(file, "finance");
  ASSERT_TRUE(worker) << worker.error().str();
  EXPECT_EQ(worker->agents.at(0).type, "finance");
  const auto unknown = load_agents(file, "legal");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().str(), HasSubstr("no worker has this name; there are router, hr, finance, user-proxy"));
}

std::vector<std::string> warnings_of(const std::string& models, const std::string& budgets = "") {
  const auto suite = suite_of("models:\n" + models + budgets + R"(
workers:
  - {name: writers, agents: [{type: poet, kind: assistant, model: main}]}
  - name: desk
    agents: [{type: poems, kind: pipeline, participants: [poet], limits: {max_cost_usd: 0.10}},
             {type: others, kind: pipeline, participants: [poet], termination: [{all: [{cost_usd: 1}, {messages: 3}]}]}]
)");
  EXPECT_TRUE(suite) << suite.error().str();
  return suite ? price_warnings(*suite) : std::vector<std::string>();
}

TEST(PriceWarnings, name_the_limit_in_money_and_the_model_that_has_no_price) {
  const auto warnings =
      warnings_of("  main: {provider: openai, model: gpt-x}\n  unused: {provider: openai, model: y}\n");
  EXPECT_THAT(warnings,
              ElementsAre(AllOf(HasSubstr("team 'poems'"), HasSubstr("'main' (openai, gpt-x) has no `price`")),
                          HasSubstr("team 'others'")));
}

TEST(PriceWarnings, look_through_fallback_chains) {
  EXPECT_THAT(warnings_of("  main: {provider: fallback, models: [a, b]}\n  a: {provider: offline}\n"
                          "  b: {provider: anthropic, model: claude-x}\n"),
              ElementsAre(HasSubstr("'b' (anthropic, claude-x)"), HasSubstr("'b' (anthropic, claude-x)")));
}

TEST(PriceWarnings, are_of_budgets_as_well) {
  const std::string model = "  main: {provider: openai, model: gpt-x}\n";
  EXPECT_THAT(warnings_of(model, "budgets: {limits: [{name: fleet, usd: 1}, {name: some, tokens: 5}]}\n"),
              testing::Contains(AllOf(HasSubstr("budget 'fleet'"), HasSubstr("refused"))));
  EXPECT_THAT(warnings_of(model, "budgets: {unknown_model: max, limits: [{name: fleet, usd: 1}]}\n"), ElementsAre());
  EXPECT_THAT(warnings_of(model, "budgets: {prices: p.yaml, limits: [{name: fleet, usd: 1}]}\n"), ElementsAre())
      << "the table may have it";
}

TEST(PriceWarnings, are_not_given_without_a_reason) {
  EXPECT_THAT(warnings_of("  main: {provider: offline}\n"), ElementsAre());
  EXPECT_THAT(warnings_of("  main: {provider: openai, model: x, price: {input_per_million_usd: 1, "
                          "output_per_million_usd: 2}}\n"),
              ElementsAre());
}

struct DeploymentTest : testing::Test {
  asio::io_context io;
  SystemClock clock;
  SeededRandom random{1};
  Deployment deployment{io, clock, random};
};

constexpr std::string_view kNeedsKey = R"(
models: {gpt: {provider: openai, model: x, api_key_env: PARLEY_TEST_NO_SUCH_KEY}, off: {provider: offline}}
agents: [{type: hr, kind: assistant, model: MODEL}]
)";

std::string with_model(std::string_view model) {
  std::string text(kNeedsKey);
  return text.replace(text.find("MODEL"), 5, model);
}

TEST_F(DeploymentTest, names_every_missing_key_with_its_line_once) {
  const auto agents = agents_of(R"(models:
  gpt: {provider: openai, model: x, api_key_env: PARLEY_TEST_NO_SUCH_KEY}
  sonnet: {provider: anthropic, model: y, api_key_env: PARLEY_TEST_NOR_THIS_KEY}
tools:
  web: {type: http, hosts: [example.org], credentials: [{host: example.org, env: PARLEY_TEST_NO_SECRET}]}
agents:
  - {type: hr, kind: assistant, model: gpt, tools: [web]}
  - {type: it, kind: assistant, model: gpt, tools: [web]}
  - {type: finance, kind: assistant, model: sonnet}
)");
  ASSERT_TRUE(agents) << agents.error().str();
  const Result<> prepared = deployment.prepare(*agents);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(prepared.error().message,
              HasSubstr("desk.yaml:2: models.gpt: the environment variable PARLEY_TEST_NO_S"));
  EXPECT_THAT(prepared.error().message,
              HasSubstr("desk.yaml:3: models.sonnet: the environment variable PARLEY_TEST_N"));
  EXPECT_THAT(prepared.error().message, HasSubstr("desk.yaml:5: tools.web: the environment variable PARLEY_TEST_NO_S"));
  EXPECT_EQ(std::ranges::count(prepared.error().message, '\n'), 2) << prepared.error().message;
}

TEST_F(DeploymentTest, names_file_model_and_variable_of_a_missing_key) {
  const auto agents = agents_of(with_model("gpt"));
  ASSERT_TRUE(agents) << agents.error().str();
  const Result<> prepared = deployment.prepare(*agents);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(prepared.error().message, HasSubstr("desk.yaml:2: models.gpt: "));
  EXPECT_THAT(prepared.error().message, HasSubstr("PARLEY_TEST_NO_SUCH_KEY"));
}

TEST_F(DeploymentTest, needs_no_key_for_a_model_that_no_agent_uses) {
  const auto agents = agents_of(with_model("off"));
  ASSERT_TRUE(agents) << agents.error().str();
  EXPECT_TRUE(deployment.prepare(*agents));
}

}  // namespace
}  // namespace parley::host
