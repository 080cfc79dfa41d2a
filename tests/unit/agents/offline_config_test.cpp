// The settings of offline models: what the examples script their conversations with.
#include "agents/host/offline_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agents/host/yaml_json.hpp"

namespace parley::host {
namespace {

using testing::HasSubstr;

config::Loaded<llm::OfflineRules> rules_of(const std::string& yaml) {
  const auto document = config::parse_yaml(yaml, "m.yaml");
  if (!document) return std::unexpected(document.error());
  config::ConfigProblems problems;
  config::ConfigReader reader(*document, problems);
  std::optional<llm::OfflineRules> rules = read_offline_rules(reader);
  reader.reject_unknown_keys();
  if (!problems.is_empty()) return std::unexpected(problems);
  return std::move(*rules);
}

llm::ChatRequest ask(std::string text) {
  llm::ChatRequest request;
  request.messages = {{llm::Role::user, std::move(text)}};
  request.tools = {{.name = "sql"}};
  return request;
}

TEST(OfflineConfig, scripts_a_question_a_tool_call_and_an_answer) {
  const auto rules = rules_of(R"yaml(
prefix: ""
rules:
  - regex: "revenue of ([a-z]+)"
    tool_calls: [{name: sql, arguments: {query: "SELECT sum(x) FROM t WHERE m = '$1'", limit: 10, exact: true}}]
  - {after_tool: sql, tool_result_regex: "([0-9]+)", reply: It was $1 dollars.}
)yaml");
  ASSERT_TRUE(rules) << rules.error().str();
  llm::ChatRequest request = ask("What was the revenue of may?");
  const llm::Completion first = rules->reply(request).completion;
  ASSERT_EQ(first.tool_calls.size(), 1U);
  EXPECT_EQ(nlohmann::json::parse(first.tool_calls[0].arguments),
            nlohmann::json::parse(R"({"query":"SELECT sum(x) FROM t WHERE m = 'may'","limit":10,"exact":true})"));
  request.messages.push_back({.role = llm::Role::assistant, .tool_calls = first.tool_calls});
  request.messages.push_back({.role = llm::Role::tool, .content = "[[4200]]", .tool_call_id = first.tool_calls[0].id});
  EXPECT_EQ(rules->reply(request).completion.text, "It was 4200 dollars.");
}

TEST(OfflineConfig, keeps_the_lines_of_a_program) {
  const auto rules = rules_of(R"yaml(
rules:
  - contains: program
    tool_calls:
      - name: sql
        arguments:
          code: |
            for i in range(3):
                print("$1", i)
)yaml");
  ASSERT_TRUE(rules) << rules.error().str();
  const auto call = rules->reply(ask("a program")).completion.tool_calls.at(0);
  EXPECT_EQ(nlohmann::json::parse(call.arguments)["code"], "for i in range(3):\n    print(\"$1\", i)\n");
}

TEST(OfflineConfig, tells_the_problems_of_its_rules_at_once) {
  const auto rules = rules_of(R"yaml(
rules:
  - {contains: a, regex: b, reply: x}
  - {reply: x}
  - {call: 0, reply: x}
  - {system: x}
  - {contains: a, tool_calls: [{arguments: [1]}]}
  - {contains: a, error: overlaoded}
  - {contains: a, reply: x, tool: y}
  - {tool_result_regex: "(a{99}){99}", reply: x}
)yaml");
  ASSERT_FALSE(rules);
  for (const char* part : {"rules[0].regex: 'b': expected either this or `contains`", "rules[1]: expected a condition",
                           "rules[2].call: '0'", "rules[3].reply", "rules[4].tool_calls[0].name",
                           "rules[4].tool_calls[0].arguments: expected a map", "rules[5].error: 'overlaoded'",
                           "rules[6].tool: unknown key", "rules[7].tool_result_regex"}) {
    EXPECT_THAT(rules.error().str(), HasSubstr(part));
  }
}

TEST(YamlJson, reads_scalars_as_they_look_unless_they_are_quoted) {
  const auto document = config::parse_yaml(
      "{a: 5, b: \"5\", c: 1.5, d: true, e: null, f: yes, g: -3, h: nan, i: 1e3, j: [x, {k: false}], l: 1.2.3}",
      "m.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(json_of(document->root),
            nlohmann::json::parse(R"({"a":5,"b":"5","c":1.5,"d":true,"e":null,"f":"yes","g":-3,"h":"nan","i":1000.0,
                                      "j":["x",{"k":false}],"l":"1.2.3"})"));
}

}  // namespace
}  // namespace parley::host
