#include "agents/tools/tool_box.hpp"

#include <stdexcept>

#include "agents/llm/pause.hpp"
#include "tests/unit/tools/tools_fixture.hpp"

namespace parley::tools {
namespace {

using namespace std::chrono_literals;
using messages::Answered;
using messages::Ask;
using messages::TeamEvent;
using testing::HasSubstr;

struct ToolBoxTest : ToolsFixture {
  void use_tool(std::shared_ptr<Tool> tool, ToolPolicy policy = {}) {
    use(ToolBox({{std::move(tool), policy}}, {}, keeper));
  }

  /// A desk at which every question gets this answer; "" for nobody's.
  void answer_questions(std::string answer) {
    host(std::string(messages::kQuestionsType),
         [this, answer](const Payload& message, Context&) -> Task<Result<Payload>> {
           const Result<Ask> ask = from_payload<Ask>(message);
           if (!ask) co_return fail(ask.error());
           asked.push_back(*ask);
           const Answered answered{answer.empty() ? ask->default_answer : answer, "ada", answer.empty()};
           co_return to_payload(answered);
         });
  }
  std::vector<Ask> asked;
};

TEST_F(ToolBoxTest, runs_a_tool_and_names_the_call_in_its_result) {
  use_tool(echo_tool());
  const auto result = run("echo", R"({"a": 1})");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->content, R"({"a":1})");
  EXPECT_EQ(result->id, "call-1");
  EXPECT_EQ(result->name, "echo");
  EXPECT_FALSE(result->is_error);
}

TEST_F(ToolBoxTest, takes_empty_arguments_as_none) {
  use_tool(echo_tool());
  EXPECT_EQ(run("echo", "")->content, "{}");
}

TEST_F(ToolBoxTest, tells_the_nearest_name_of_an_unknown_tool) {
  use_tool(echo_tool());
  const auto result = run("ecco", "{}");
  EXPECT_TRUE(result->is_error);
  EXPECT_EQ(result->content, "there is no tool 'ecco' (did you mean 'echo'?); there are echo");
  EXPECT_EQ(keeper->records.at(0).outcome, ToolOutcome::unknown_tool);
}

TEST_F(ToolBoxTest, lets_the_model_read_what_is_wrong_with_its_arguments) {
  use_tool(echo_tool("echo", R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"));
  for (const char* bad : {"{\"n\":", "[1]", "7", R"({"n":"x"})", "{}"}) {
    const auto result = run("echo", bad);
    EXPECT_TRUE(result->is_error) << bad;
    EXPECT_THAT(result->content, HasSubstr("the arguments")) << bad;
  }
  EXPECT_THAT(run("echo", R"({"n":"x"})")->content, HasSubstr("- /n: expected integer, got \"x\""));
  EXPECT_EQ(keeper->records.at(0).outcome, ToolOutcome::invalid_arguments);
}

TEST_F(ToolBoxTest, refuses_arguments_that_are_too_large_or_too_deep) {
  use_tool(echo_tool());
  EXPECT_TRUE(run("echo", "{\"a\":\"" + std::string(300'000, 'x') + "\"}")->is_error);
  EXPECT_TRUE(run("echo", "{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}")->is_error);
}

TEST_F(ToolBoxTest, cuts_a_long_result_and_cleans_it) {
  use_tool(std::make_shared<FakeTool>("long",
                                      [](nlohmann::json, ToolContext&) -> Task<Result<ToolResult>> {
                                        co_return text_result("\xFF" + std::string(5000, 'x'));
                                      }),
           {.max_result_bytes = 300});
  const auto result = run("long", "{}");
  EXPECT_TRUE(result->is_truncated);
  EXPECT_THAT(result->content, HasSubstr("[cut here: the first 300 of 5003 bytes]"));
  EXPECT_TRUE(result->content.starts_with("\xEF\xBF\xBDx"));
}

TEST_F(ToolBoxTest, leaves_out_files_that_are_too_large_together_and_says_so) {
  const auto filing = [](nlohmann::json, ToolContext&) -> Task<Result<ToolResult>> {
    ToolResult result = text_result("done");
    result.files = {{"a", "", std::string(std::size_t{3} << 20U, 'a')},
                    {"b", "", std::string(std::size_t{3} << 20U, 'b')}};
    co_return result;
  };
  use_tool(std::make_shared<FakeTool>("filing", filing));
  const auto result = run("filing", "{}");
  ASSERT_EQ(result->files.size(), 1U);
  EXPECT_EQ(result->files[0].name, "a");
  EXPECT_THAT(result->content, HasSubstr("too large: b (3145728 bytes)"));
  EXPECT_TRUE(result->is_truncated);
}

TEST_F(ToolBoxTest, makes_failures_and_exceptions_of_a_tool_results_that_the_model_reads) {
  const auto failing = [](nlohmann::json arguments, ToolContext&) -> Task<Result<ToolResult>> {
    if (arguments.contains("throw")) throw std::runtime_error("out of paper");
    co_return fail(ErrorCode::unreachable, "no such host");
  };
  use_tool(std::make_shared<FakeTool>("failing", failing));
  EXPECT_EQ(run("failing", "{}")->content, "unreachable: no such host");
  EXPECT_EQ(run("failing", R"({"throw":1})")->content, "handler_failed: the tool threw: out of paper");
  EXPECT_EQ(keeper->records.at(1).outcome, ToolOutcome::tool_error);
}

TEST_F(ToolBoxTest, aborts_a_tool_at_the_end_of_its_time) {
  bool is_aborted = false;
  const auto slow = [&is_aborted](nlohmann::json, ToolContext& context) -> Task<Result<ToolResult>> {
    const Result<> slept = co_await context.turn.sleep(10h);
    is_aborted = !slept;
    co_return text_result("late");
  };
  use_tool(std::make_shared<FakeTool>("slow", slow), {.timeout = 5s});
  const TimePoint began = clock.now();
  const auto result = run("slow", "{}");
  EXPECT_EQ(result->content, "timeout: the tool did not finish within 5000 ms");
  EXPECT_TRUE(result->is_error);
  EXPECT_TRUE(is_aborted);
  EXPECT_LE(clock.now() - began, 6s);
  EXPECT_EQ(keeper->records.at(0).outcome, ToolOutcome::timeout);
  EXPECT_EQ(keeper->records.at(0).duration, 5s);
}

TEST_F(ToolBoxTest, ends_with_the_turn) {
  const auto slow = [](nlohmann::json, ToolContext& context) -> Task<Result<ToolResult>> {
    const Result<> slept = co_await context.turn.sleep(10h);
    if (!slept) co_return fail(slept.error());
    co_return text_result("late");
  };
  use_tool(std::make_shared<FakeTool>("slow", slow), {.timeout = 1h});
  const auto result = run("slow", "{}", 2s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  runtime.advance(1s);
  ASSERT_EQ(keeper->records.size(), 1U);
  EXPECT_EQ(keeper->records.at(0).outcome, ToolOutcome::cancelled);
}

TEST_F(ToolBoxTest, asks_a_person_before_a_tool_that_always_needs_approval) {
  answer_questions("approve");
  use_tool(echo_tool("pay"), {.approval = {.when = ApprovalRule::When::always, .timeout = 60s}});
  EXPECT_EQ(run("pay", R"({"amount":5})")->content, R"({"amount":5})");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].kind, "approval");
  EXPECT_EQ(asked[0].asked_by, "user/1");
  EXPECT_EQ(asked[0].question, R"(user/1 wants to use the tool 'pay' with {"amount":5})");
  EXPECT_EQ(keeper->records.at(0).approved_by, "ada");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(from_payload<TeamEvent>(parts[0])->event, "question");
}

TEST_F(ToolBoxTest, does_not_use_a_tool_that_a_person_refuses) {
  answer_questions("reject");
  use_tool(echo_tool("pay"), {.approval = {.when = ApprovalRule::When::always}});
  const auto result = run("pay", "{}");
  EXPECT_TRUE(result->is_error);
  EXPECT_EQ(result->content, "the tool was not used: ada refused it");
  EXPECT_EQ(keeper->records.at(0).outcome, ToolOutcome::refused);
  EXPECT_EQ(keeper->records.at(0).approved_by, "");
}

TEST_F(ToolBoxTest, takes_nobodys_answer_and_a_missing_desk_as_a_refusal) {
  use_tool(echo_tool("pay"), {.approval = {.when = ApprovalRule::When::always, .timeout = 60s}});
  EXPECT_THAT(run("pay", "{}")->content, HasSubstr("nobody could be asked: unknown_agent_type"));
  answer_questions("");
  EXPECT_EQ(run("pay", "{}")->content, "the tool was not used: nobody approved it within 1m");
}

TEST_F(ToolBoxTest, tells_how_long_it_could_wait_for_approval_and_not_how_long_it_wanted_to) {
  use_tool(echo_tool("pay"), {.approval = {.when = ApprovalRule::When::always, .timeout = 600s}});
  answer_questions("");
  EXPECT_EQ(run("pay", "{}", 20s)->content, "the tool was not used: nobody approved it within 19500ms");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].timeout_ms, 19'500U) << "half a second is for what comes then";
}

TEST_F(ToolBoxTest, asks_only_when_a_pattern_is_found_in_the_arguments) {
  answer_questions("reject");
  ApprovalRule rule{.when = ApprovalRule::When::matching};
  rule.patterns.push_back({"amount", *Pattern::make("^[0-9]{4,}$")});
  rule.patterns.push_back({"", *Pattern::make("DROP")});
  use_tool(echo_tool("pay"), {.approval = rule});
  EXPECT_FALSE(run("pay", R"({"amount":999})")->is_error);
  EXPECT_TRUE(run("pay", R"({"amount":1000})")->is_error);
  EXPECT_TRUE(run("pay", R"({"amount":"1000"})")->is_error);
  EXPECT_TRUE(run("pay", R"({"note":["\u0044ROP it"]})")->is_error) << "an escape does not hide it";
}

TEST_F(ToolBoxTest, does_not_ask_about_arguments_that_do_not_fit) {
  answer_questions("approve");
  use_tool(echo_tool("pay", R"({"type":"object","required":["amount"]})"),
           {.approval = {.when = ApprovalRule::When::always}});
  EXPECT_TRUE(run("pay", "{}")->is_error);
  EXPECT_TRUE(asked.empty());
}

TEST_F(ToolBoxTest, leaves_out_a_tool_without_a_usable_schema_and_the_second_of_one_name) {
  const ToolBox box({{echo_tool("a"), {}}, {echo_tool("b", "nonsense"), {}}, {echo_tool("a"), {}}});
  EXPECT_EQ(box.specs().size(), 1U);
  EXPECT_TRUE(box.has("a"));
  EXPECT_FALSE(box.has("b"));
  EXPECT_TRUE(ToolBox().is_empty());
}

/// A toolset whose list a test changes.
class FakeToolset final : public Toolset {
 public:
  Task<Result<std::shared_ptr<const ToolsetListing>>> list(Context&) override {
    ++asked;
    if (listing == nullptr) co_return fail(ErrorCode::unreachable, "down");
    co_return listing;
  }
  std::shared_ptr<const ToolsetListing> listing;
  int asked = 0;
};

std::shared_ptr<const ToolsetListing> listing_of(std::vector<std::string> names) {
  auto listing = std::make_shared<ToolsetListing>();
  for (const std::string& name : names) listing->push_back({name, echo_tool("set_" + name)});
  return listing;
}

TEST_F(ToolBoxTest, brings_the_tools_of_a_toolset_with_each_refresh) {
  const auto set = std::make_shared<FakeToolset>();
  const ToolBox box({{echo_tool(), {}}}, {{"set", set, {}}});
  use(box);
  EXPECT_FALSE(run("echo", "{}")->is_error) << "an unreachable toolset does not stop the others";
  EXPECT_EQ(box.specs().size(), 1U);
  set->listing = listing_of({"a", "b"});
  EXPECT_EQ(run("set_a", "{}")->content, "{}");
  EXPECT_EQ(box.specs().size(), 3U);
  set->listing = listing_of({"b"});
  EXPECT_TRUE(run("set_a", "{}")->is_error);
  set->listing = nullptr;
  EXPECT_FALSE(run("set_b", "{}")->is_error) << "what is known stays";
}

TEST_F(ToolBoxTest, offers_only_the_members_that_were_asked_for) {
  const auto set = std::make_shared<FakeToolset>();
  set->listing = listing_of({"a", "b", "c"});
  const ToolBox box({}, {{"set", set, {}, std::vector<std::string>{"a", "c", "missing"}}});
  use(box);
  EXPECT_FALSE(run("set_a", "{}")->is_error);
  EXPECT_TRUE(run("set_b", "{}")->is_error);
  EXPECT_EQ(box.specs().size(), 2U);
}

}  // namespace
}  // namespace parley::tools
