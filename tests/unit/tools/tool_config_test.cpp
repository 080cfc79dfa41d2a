#include "agents/host/tool_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agents/host/agents_config.hpp"
#include "agents/host/tool_audit.hpp"
#include "services/config/yaml.hpp"

namespace parley::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

config::Loaded<AgentsConfig> agents_of(const std::string& tools, const std::string& used = "[]") {
  const std::string text = "models: {main: {provider: offline}}\n" + tools +
                           "\nagents: [{type: hands, kind: tool_host, tools: " + used + "}]\n";
  return read_agents(*config::parse_yaml(text, "/nowhere/desk.yaml"));
}

TEST(ToolsInYaml, have_policies_and_are_used_by_name) {
  const auto config = agents_of(R"(tools:
  expert: {type: agent, target: expert, description: Knows., timeout: 3s, max_result_bytes: 1000,
           approval: {patterns: [DROP], arguments: {amount: '^\d+$'}, timeout: 2m}}
  far: {type: remote, target: "@hands", approval: always})",
                                "[expert, far.echo]");
  ASSERT_TRUE(config) << config.error().str();
  const ToolConfig& expert = config->tools.at("expert");
  EXPECT_EQ(expert.policy.timeout, std::chrono::seconds(3));
  EXPECT_EQ(expert.policy.max_result_bytes, 1000U);
  EXPECT_EQ(expert.policy.approval.when, tools::ApprovalRule::When::matching);
  EXPECT_EQ(expert.policy.approval.patterns.size(), 2U);
  EXPECT_EQ(expert.policy.approval.timeout, std::chrono::minutes(2));
  EXPECT_EQ(config->tools.at("far").policy.approval.when, tools::ApprovalRule::When::always);
  EXPECT_TRUE(config->tools.at("far").is_toolset);
  EXPECT_THAT(config->agents.at(0).tools, ElementsAre("expert", "far.echo"));
}

TEST(ToolsInYaml, are_exempt_from_approval_by_whole_arguments_only) {
  const auto config = agents_of(
      R"(tools: {pay: {type: remote, target: bank, approval: {unless: {task: 'pay [0-9]{1,2} euros|nothing'}}}})",
      "[pay]");
  ASSERT_TRUE(config) << config.error().str();
  const tools::ApprovalRule& rule = config->tools.at("pay").policy.approval;
  const auto is_asked = [&rule](const char* arguments) { return rule.is_needed(nlohmann::json::parse(arguments)); };
  EXPECT_FALSE(is_asked(R"({"task":"pay 40 euros"})"));
  for (const char* arguments :
       {R"({"task":"pay 250 euros"})", R"({"task":"pay 40 euros and 9999 more"})", R"({"task":"pay 40.000 euros"})",
        R"({"task":"now pay 40 euros"})", R"({"task":"pay 40 euros\n"})", R"({"other":"pay 40 euros"})", "{}"}) {
    EXPECT_TRUE(is_asked(arguments)) << arguments;
  }
}

TEST(ToolsInYaml, tell_all_their_problems_at_once) {
  const auto config = agents_of(R"(tools:
  a b: {type: agent, target: x, description: y}
  c: {type: agnet}
  d: {type: agent, target: 'a b', tiemout: 3s}
  e: {type: remote, target: t, approval: {patterns: ['(']}}
  f: {type: remote, target: t, approval: {rule: always, patterns: [x]}}
  g: {type: remote, target: t, approval: perhaps}
  h: {type: remote, target: t, approval: {patterns: [x], unless: {a: b}}}
tool_audit: {arguments: some, fiel: x})",
                                "[expert, e.x, d.x]");
  ASSERT_FALSE(config);
  const std::string text = config.error().str();
  for (const char* part :
       {"tools.a b", "did you mean 'agent'?", "tools.d.target", "tools.d.description", "did you mean 'timeout'?",
        "tools.e.approval.patterns", "tools.f.approval", "tools.g.approval", "tools.h.approval", "tool_audit.arguments",
        "did you mean 'file'?", "'expert': expected names of tools", "'d.x': expected names of tools"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("'e.x'"))) << "a member of a toolset is known at run time only";
}

struct AuditLine : testing::Test {
  std::string line(std::string_view arguments, ToolAuditConfig::Arguments how) {
    const AgentId agent = *AgentId::parse("hr/alice");
    tools::ToolRecord record{.agent = agent,
                             .conversation = "talk",
                             .tool = "web",
                             .call_id = "c1",
                             .arguments = arguments,
                             .outcome = tools::ToolOutcome::ok,
                             .problem = {},
                             .approved_by = "ada",
                             .duration = std::chrono::microseconds(1500),
                             .waited = std::chrono::seconds(2),
                             .result_bytes = 12};
    return audit_line(record, how, WallTime(std::chrono::milliseconds(1'700'000'000'123)));
  }
};

TEST_F(AuditLine, says_who_used_what_when_and_how_it_ended) {
  EXPECT_EQ(line("{}", ToolAuditConfig::Arguments::hash),
            R"({"at":"2023-11-14T22:13:20.123Z","agent":"hr/alice","conversation":"talk","tool":"web","call_id":"c1",)"
            R"("arguments_sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","outcome":"ok",)"
            R"("approved_by":"ada","duration_ms":1.5,"waited_ms":2000.0,"result_bytes":12})");
}

TEST_F(AuditLine, hides_what_is_named_like_a_secret) {
  const std::string text =
      line(R"({"url":"x","login":{"Password":"p1","list":[{"access_token":"t1"}]}})", ToolAuditConfig::Arguments::full);
  EXPECT_THAT(text, HasSubstr(R"("url":"x")"));
  EXPECT_THAT(text, HasSubstr(R"("Password":"***")"));
  EXPECT_THAT(text, Not(HasSubstr("t1")));
}

TEST_F(AuditLine, has_no_arguments_when_told_so_and_only_a_hash_of_what_is_no_json) {
  EXPECT_THAT(line("{}", ToolAuditConfig::Arguments::none), Not(HasSubstr("arguments")));
  EXPECT_THAT(line("password=1", ToolAuditConfig::Arguments::full), Not(HasSubstr("password")));
}

}  // namespace
}  // namespace parley::host
