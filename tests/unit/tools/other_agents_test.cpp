// Tools that other agents provide: an agent as a tool, and the tools of a tool host.
#include "agents/kinds/tool_host.hpp"
#include "agents/tools/agent_tool.hpp"
#include "agents/tools/remote_tools.hpp"
#include "tests/unit/tools/tools_fixture.hpp"

namespace parley::tools {
namespace {

using namespace std::chrono_literals;
using messages::Answer;
using messages::TeamEvent;
using messages::Text;
using messages::TextPart;
using testing::HasSubstr;

struct OtherAgents : ToolsFixture {
  void use_agent() {
    AgentToolOptions options{"ask_expert", "Knows things.", "expert"};
    use(ToolBox({{std::make_shared<AgentTool>(std::move(options)), {}}}));
  }
  std::shared_ptr<RemoteTools> remote() {
    RemoteToolsOptions options;
    options.name = "far";
    options.target = "hands";
    options.prefix = "far_";
    return std::make_shared<RemoteTools>(std::move(options));
  }
  void host_tools(std::vector<GuardedTool> tools) {
    const ToolBox box(std::move(tools), {}, keeper);
    host("hands", [box](const AgentId&) { return std::make_unique<kinds::ToolHost>(box); });
  }
};

TEST_F(OtherAgents, an_agent_gets_the_task_under_the_conversations_key_and_its_answer_is_the_result) {
  std::string key;
  host("expert", [&key](const Payload& message, Context& context) -> Task<Result<Payload>> {
    key = context.self().key();
    const Result<Text> task = from_payload<Text>(message);
    Answer answer;
    answer.text = "about " + task->text;
    answer.usage.input_tokens = 7;
    co_return to_payload(answer);
  });
  use_agent();
  const auto result = run("ask_expert", R"({"task":"bees"})");
  EXPECT_EQ(result->content, "about bees");
  EXPECT_EQ(result->usage.input_tokens, 7U);
  EXPECT_EQ(key, "talk");
}

TEST_F(OtherAgents, events_of_the_agents_team_stream_through_and_its_text_does_not) {
  host("expert", [](const Payload&, Context& context) -> Task<Result<Payload>> {
    const TextPart piece{"half of it", "expert"};
    static_cast<void>(co_await context.part(piece));
    TeamEvent event;
    event.event = "tool_call";
    static_cast<void>(co_await context.part(event));
    const Text text{"done", "expert"};
    co_return to_payload(text);
  });
  use_agent();
  EXPECT_EQ(run("ask_expert", R"({"task":"bees"})")->content, "done");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].type, TeamEvent::kTypeName);
}

TEST_F(OtherAgents, an_agent_that_is_not_there_is_an_error_for_the_model) {
  use_agent();
  const auto result = run("ask_expert", R"({"task":"bees"})");
  EXPECT_TRUE(result->is_error);
  EXPECT_THAT(result->content, HasSubstr("unknown_agent_type"));
}

TEST_F(OtherAgents, tools_of_a_host_are_listed_and_run_there) {
  host_tools({{echo_tool("echo", R"({"type":"object","required":["x"]})"), {}}});
  const ToolBox box({}, {{"far", remote(), {}}});
  use(box);
  const auto result = run("far_echo", R"({"x":1})");
  EXPECT_EQ(result->content, R"({"x":1})");
  EXPECT_EQ(result->name, "far_echo") << "the name that the model knows";
  EXPECT_EQ(keeper->records.at(0).tool, "echo") << "the host knows it by its own";
  EXPECT_TRUE(run("far_echo", "{}")->is_error) << "the schema came with the list";
  EXPECT_EQ(keeper->records.size(), 1U);
}

TEST_F(OtherAgents, a_host_that_comes_later_is_found) {
  const ToolBox box({}, {{"far", remote(), {}}});
  use(box);
  EXPECT_THAT(run("far_echo", "{}")->content, HasSubstr("no tools at all"));
  host_tools({{echo_tool(), {}}});
  runtime.advance(6s);
  EXPECT_FALSE(run("far_echo", "{}")->is_error);
}

TEST_F(OtherAgents, a_list_is_asked_for_again_when_it_has_aged) {
  host_tools({{echo_tool("one"), {}}});
  const ToolBox box({}, {{"far", remote(), {}}});
  use(box);
  EXPECT_FALSE(run("far_one", "{}")->is_error);
  static_cast<void>(test::run_task(io, runtime.unregister_type("hands")));
  host_tools({{echo_tool("two"), {}}});
  EXPECT_TRUE(run("far_two", "{}")->is_error);
  runtime.advance(61s);
  EXPECT_FALSE(run("far_two", "{}")->is_error);
}

TEST(WithKey, adds_a_key_where_none_is) {
  EXPECT_EQ(with_key("expert", "k"), "expert/k");
  EXPECT_EQ(with_key("@skill", "k"), "@skill/k");
  EXPECT_EQ(with_key("expert/own", "k"), "expert/own");
  EXPECT_NE(with_key("expert", std::string(300, 'k')), "expert/" + std::string(300, 'k')) << "keys are bounded";
}

}  // namespace
}  // namespace parley::tools
