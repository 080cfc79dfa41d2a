// The sandbox as a tool of a model.
#include "agents/tools/code_tool.hpp"

#include "agents/sandbox/result_text.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "tests/sandbox/sandbox_fixture.hpp"

namespace parley::tools {
namespace {

using messages::ToolResult;
using testing::HasSubstr;

struct CodeToolTest : sandbox::SandboxTest {
  void SetUp() override {
    SandboxTest::SetUp();
    if (IsSkipped()) return;
    tool = std::make_shared<CodeTool>(CodeToolOptions{}, sandbox);
    ASSERT_TRUE(test::run_task(io, runtime.start()));
    Closure closure = [this](const Payload&, Context& context) -> Task<Result<Payload>> {
      const std::string id = "call-1";
      ToolContext tool_context{context, id, context.now() + std::chrono::seconds(20)};
      Result<ToolResult> result = co_await tool->call(arguments, tool_context);
      if (!result) co_return fail(result.error());
      co_return to_payload(*result);
    };
    ASSERT_TRUE(test::run_task(io, runtime.register_closure("user", std::move(closure))));
  }
  void TearDown() override {
    tool.reset();
    SandboxTest::TearDown();
  }

  ToolResult use(const std::string& language, const std::string& code, const std::string& agent = "user/a") {
    arguments = {{"language", language}, {"code", code}};
    return call(agent);
  }
  ToolResult call(const std::string& agent) {
    const ToolResult nothing;
    const auto result = test::run_task(io, runtime.client().request<ToolResult>(*AgentId::parse(agent), nothing));
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(nothing);
  }

  LocalRuntime runtime{io};
  std::shared_ptr<CodeTool> tool;
  nlohmann::json arguments;
};

TEST_F(CodeToolTest, tells_the_model_what_it_can_do) {
  EXPECT_THAT(tool->spec().description, HasSubstr("python or shell"));
  const auto schema = nlohmann::json::parse(tool->spec().parameters);
  EXPECT_EQ(schema["required"], (nlohmann::json{"language", "code"}));
  EXPECT_EQ(schema["properties"]["language"]["enum"], (nlohmann::json{"python", "shell"}));
}

TEST_F(CodeToolTest, gives_output_and_files) {
  const ToolResult result = use("python", "print(6 * 7); open('out.csv', 'w').write('a,b')");
  EXPECT_FALSE(result.is_error);
  EXPECT_EQ(result.content, "exit code 0\nstdout:\n42\nfiles:\n  out.csv (3 bytes)");
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.files[0].media_type, "text/csv");
}

TEST_F(CodeToolTest, a_failure_is_told_so_that_the_model_can_mend_it) {
  const ToolResult result = use("python", "1 / 0");
  EXPECT_TRUE(result.is_error);
  EXPECT_THAT(result.content, HasSubstr("exit code 1"));
  EXPECT_THAT(result.content, HasSubstr("ZeroDivisionError"));
}

TEST_F(CodeToolTest, calls_of_one_conversation_share_files_and_others_do_not_see_them) {
  use("shell", "echo mine > file");
  EXPECT_THAT(use("python", "print(open('file').read())").content, HasSubstr("mine"));
  EXPECT_TRUE(use("shell", "cat file", "user/b").is_error);
}

TEST_F(CodeToolTest, takes_files_of_the_model) {
  arguments = {{"language", "shell"},
               {"code", "cat data/a.txt"},
               {"files", nlohmann::json::array({{{"name", "data/a.txt"}, {"content", "hello"}}})}};
  EXPECT_THAT(call("user/a").content, HasSubstr("hello"));
}

TEST(ResultText, is_utf8_whatever_the_code_has_written) {
  sandbox::RunResult result;
  result.out = "ok \xFF\xC3\x28 \xC3\xA4 \xED\xA0\x80 \xF0\x9F\x98\x80\n";
  const std::string text = sandbox::result_text(result);
  EXPECT_NO_THROW((void)nlohmann::json(text).dump());
  EXPECT_THAT(text, HasSubstr("\xEF\xBF\xBD"));
  EXPECT_THAT(text, HasSubstr("\xC3\xA4"));
  EXPECT_THAT(text, HasSubstr("\xF0\x9F\x98\x80"));
}

TEST(ResultText, says_which_limit_ended_the_code) {
  sandbox::RunResult result;
  result.exit_code = 137;
  result.limit = sandbox::Limit::wall_time;
  result.took = std::chrono::milliseconds(20'040);
  EXPECT_EQ(sandbox::result_text(result), "ended after 20.0 s: it took too long (wall_time)\n(no output)");
}

}  // namespace
}  // namespace parley::tools

namespace parley::sandbox {
namespace {

TEST_F(SandboxTest, work_folders_are_bounded_in_number_and_go_when_they_are_idle) {
  const auto folders =
      std::make_shared<WorkFolders>(sandbox, WorkFolderLimits{.max_folders = 2, .idle = std::chrono::milliseconds(50)});
  const auto first = *folders->of("a", io.get_executor());
  EXPECT_EQ(*folders->of("a", io.get_executor()), first);
  ASSERT_TRUE(folders->of("b", io.get_executor()));
  ASSERT_TRUE(folders->of("a", io.get_executor()));
  ASSERT_TRUE(folders->of("c", io.get_executor()));
  EXPECT_EQ(folders->size(), 2U);
  EXPECT_EQ(*folders->of("a", io.get_executor()), first) << "b was used longest ago";
  test::run_until(io, [&] { return folders->size() == 1; });
  EXPECT_EQ(*folders->of("a", io.get_executor()), first) << "somebody holds it";
}

}  // namespace
}  // namespace parley::sandbox
