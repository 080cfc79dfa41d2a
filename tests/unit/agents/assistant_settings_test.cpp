// The configuration of assistants, critics and planners: what is refused, and that what is accepted works.
#include <fstream>

#include "agents/host/agents_config.hpp"
#include "services/config/yaml.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/agents/assistant_fixture.hpp"

namespace parley::kinds {
namespace {

using testing::HasSubstr;

/// What is wrong with an agent of these settings; empty when nothing is.
std::string problems_of(const std::string& settings, const std::string& kind = "assistant",
                        const std::string& file = "test.yaml") {
  const std::string text =
      "models: {main: {provider: offline}, cheap: {provider: offline}}\n"
      "agents: [{type: hr, model: main, kind: " +
      kind + (settings.empty() ? "" : ", ") + settings + "}]\n";
  const auto document = config::parse_yaml(text, file);
  if (!document) return document.error().str();
  const auto read = host::read_agents(*document);
  return read ? "" : read.error().str();
}

TEST(AssistantSettings, may_all_be_there_at_once) {
  EXPECT_EQ(problems_of("system_prompt: 'You are {{agent}}, {{style}}.', variables: {style: short}, temperature: 0.5, "
                        "max_tokens: 100, max_history_turns: 5, max_history_bytes: 1000, answer_topic: answers, "
                        "max_tool_rounds: 3, max_parallel_tools: 2, parallel_tool_calls: false, tool_choice: required, "
                        "handoffs: [sales, {name: repairs, description: mends things}], max_repairs: 2, "
                        "output_schema: {type: object}, on_budget_exceeded: later, knowledge: {base: kb, top: 3}, "
                        "context: {strategy: summary, max_tokens: 1000, keep_messages: 4, model: cheap, "
                        "prompt: sum up, summary_tokens: 100}"),
            "");
}

TEST(AssistantSettings, know_every_strategy_and_only_its_own_keys) {
  for (const char* context :
       {"{strategy: everything}", "{strategy: last_messages, max_messages: 5}",
        "{strategy: token_budget, max_tokens: 500}", "{strategy: head_and_tail, head: 0, tail: 3}"}) {
    EXPECT_EQ(problems_of(std::string("context: ") + context), "") << context;
  }
  EXPECT_THAT(problems_of("context: {strategy: token_budget, head: 3}"), HasSubstr("agents[0].context.head"));
  EXPECT_THAT(problems_of("context: {}"), HasSubstr("expected everything, last_messages"));
  EXPECT_THAT(problems_of("context: {strategy: sumary}"), HasSubstr("did you mean 'summary'?"));
  EXPECT_THAT(problems_of("context: {strategy: summary, model: main2}"), HasSubstr("agents[0].context.model"));
  EXPECT_THAT(problems_of("context: {strategy: last_messages, max_messages: 0}"), HasSubstr("max_messages"));
}

TEST(AssistantSettings, name_what_a_prompt_cannot_fill_in) {
  EXPECT_THAT(problems_of("system_prompt: 'hi {{agnt}}'"), HasSubstr("did you mean '{{agent}}'?"));
  EXPECT_THAT(problems_of("variables: {agent: x}"), HasSubstr("'agent': expected a name"));
  EXPECT_THAT(problems_of("variables: {Style: x}"), HasSubstr("'Style': expected a name"));
}

TEST(AssistantSettings, refuse_handoffs_that_nobody_could_take) {
  EXPECT_EQ(problems_of("handoffs: any"), "");
  EXPECT_EQ(problems_of("handoffs: sales"), "");
  EXPECT_THAT(problems_of("handoffs: [sales, sales]"), HasSubstr("each once"));
  EXPECT_THAT(problems_of("handoffs: ['no name']"), HasSubstr("'no name': expected names"));
  EXPECT_THAT(problems_of("handoffs: [{nam: sales}]"), HasSubstr("handoffs[0].name"));
  EXPECT_THAT(problems_of("handoffs: [[sales]]"), HasSubstr("expected a text or a map"));
}

TEST(AssistantSettings, refuse_a_forced_tool_where_there_is_none) {
  EXPECT_THAT(problems_of("tool_choice: required"), HasSubstr("expected tools"));
  EXPECT_THAT(problems_of("tool_choice: lookup"), HasSubstr("expected tools"));
  EXPECT_EQ(problems_of("tool_choice: none"), "");
}

TEST(AssistantSettings, refuse_an_unreflected_structured_answer) {
  EXPECT_THAT(problems_of("reflect: false, output_schema: {}"), HasSubstr("the model has the last word"));
}

TEST(AssistantSettings, take_a_schema_as_a_map_as_json_and_none) {
  for (const char* schema : {"{type: object}", "'{\"type\": \"object\"}'", "none"}) {
    EXPECT_EQ(problems_of(std::string("output_schema: ") + schema), "") << schema;
  }
  EXPECT_THAT(problems_of("output_schema: [1]"), HasSubstr("output_schema"));
  EXPECT_THAT(problems_of("output_schema: '{\"type\": '"), HasSubstr("output_schema"));
  EXPECT_THAT(problems_of("output_schema: missing.json"), HasSubstr("or a file of at most 1 MiB"));
}

TEST(AssistantSettings, take_a_schema_from_a_file_beside_the_configuration) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "shape.json") << "{\n\t\"type\": \"object\"\n}\n";
  std::ofstream(folder / "shape.yaml") << "type: object\n";
  std::ofstream(folder / "wrong.yaml") << "- 1\n";
  const std::string file = (folder / "agents.yaml").string();
  EXPECT_EQ(problems_of("output_schema: shape.json", "assistant", file), "");
  EXPECT_EQ(problems_of("output_schema: shape.yaml", "assistant", file), "");
  EXPECT_THAT(problems_of("output_schema: wrong.yaml", "assistant", file), HasSubstr("output_schema"));
}

TEST(AssistantSettings, of_critics_and_planners_are_those_of_assistants) {
  for (const char* kind : {"critic", "planner"}) {
    EXPECT_EQ(problems_of("", kind), "");
    EXPECT_EQ(problems_of("system_prompt: be kind, output_schema: none, max_tool_rounds: 2", kind), "");
    EXPECT_THAT(problems_of("sistem_prompt: x", kind), HasSubstr("did you mean 'system_prompt'?"));
  }
}

// --- What ships ------------------------------------------------------------------------------------------------------

struct ShippedKinds : AssistantFixture {
  /// An agent of this kind and these settings, with the scripted model.
  void host_kind(const std::string& type, std::string_view kind, std::string_view settings = "") {
    const auto document = config::parse_yaml(settings.empty() ? "{}" : settings, "test.yaml");
    config::ConfigProblems problems;
    config::ConfigReader reader(*document, problems);
    const std::vector<std::string> models{"main"};
    KindNames names{models};
    const MakeFactory make = find_kind(kind)->read(reader, names);
    ASSERT_TRUE(problems.is_empty()) << problems.str();
    KindServices made_of;
    made_of.model = [this](const std::string&) -> std::shared_ptr<llm::ChatModel> { return model; };
    made_of.clock = &clock;
    host(type, make(made_of));
  }

  TurnRequest turn_with(std::vector<messages::Member> members) {
    TurnRequest turn;
    turn.name = "boss";
    turn.thread = {{"user", "Build it.", {}, 0}};
    turn.members = std::move(members);
    return turn;
  }
};

TEST_F(ShippedKinds, have_a_critic_whose_answer_is_a_verdict_with_comments) {
  host_kind("critic", "critic");
  model->will_answer("Looks good to me!");
  model->will_answer(R"({"verdict": "REVISE", "comments": ["line 2: rhyme"]})");
  const Result<Answer> answer = request<Answer>("critic/p", "Roses are red.");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, R"({"verdict":"REVISE","comments":["line 2: rhyme"]})");
  EXPECT_THAT(asked(0).at(0).content, HasSubstr("You are critic, a critic."));
}

TEST_F(ShippedKinds, have_a_planner_that_gives_every_step_to_a_member) {
  host_kind("boss", "planner");
  const std::string plan = R"({"goal":"it","steps":[{"number":1,"task":"code","assignee":"NAME","needs":[]}]})";
  const auto plan_for = [&plan](std::string_view name) {
    return std::string(plan).replace(plan.find("NAME"), 4, name);
  };
  model->will_answer(plan_for("nobody"));
  model->will_answer(plan_for("coder"));
  const Result<Heard> said = hear("boss/c1", turn_with({{"boss", ""}, {"coder", "writes code"}}));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->answer.text, plan_for("coder"));
  EXPECT_THAT(asked(0).at(0).content, HasSubstr("- coder: writes code"));
}

TEST_F(ShippedKinds, may_be_told_otherwise) {
  host_kind("critic", "critic", "{system_prompt: 'Rate {{agent}}.', output_schema: none}");
  model->will_answer("Fine.");
  EXPECT_EQ(request<Answer>("critic/p", "x")->text, "Fine.");
  EXPECT_EQ(asked(0).at(0).content, "Rate critic.");
  EXPECT_FALSE(model->requests.at(0).response_schema);
}

}  // namespace
}  // namespace parley::kinds
