// A local runtime with virtual time, an agent whose turns run tools, and tools that do what a test says.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/tools/tool_box.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/questions.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "tests/support/run_task.hpp"

namespace parley::tools {

using messages::ToolCall;
using messages::ToolResult;

/// A tool that is one function.
class FakeTool final : public Tool {
 public:
  using Call = std::function<Task<Result<ToolResult>>(nlohmann::json, ToolContext&)>;
  FakeTool(std::string name, Call call, std::string parameters = R"({"type":"object"})")
      : spec_{std::move(name), "A tool for tests.", std::move(parameters)}, call_(std::move(call)) {}

  const llm::ToolSpec& spec() const override { return spec_; }
  Task<Result<ToolResult>> call(nlohmann::json arguments, ToolContext& context) override {
    return call_(std::move(arguments), context);
  }

 private:
  llm::ToolSpec spec_;
  Call call_;
};

inline ToolResult text_result(std::string text) {
  ToolResult result;
  result.content = std::move(text);
  return result;
}

/// Answers with its arguments.
inline std::shared_ptr<Tool> echo_tool(std::string name = "echo", std::string parameters = R"({"type":"object"})") {
  return std::make_shared<FakeTool>(
      std::move(name),
      [](nlohmann::json arguments, ToolContext&) -> Task<Result<ToolResult>> {
        co_return text_result(arguments.dump());
      },
      std::move(parameters));
}

/// What an observer was told.
struct KeptRecord {
  std::string tool;
  ToolOutcome outcome;
  std::string approved_by;
  std::string problem;
  Duration duration;
};

class RecordKeeper final : public ToolObserver {
 public:
  void on_call(const ToolRecord& record) override {
    records.push_back({std::string(record.tool), record.outcome, std::string(record.approved_by),
                       std::string(record.problem), record.duration});
  }
  std::vector<KeptRecord> records;
};

struct ToolsFixture : testing::Test {
  ToolsFixture() { EXPECT_TRUE(test::run_task(io, runtime.start())); }

  void host(std::string type, AgentFactory factory) {
    const Result<> registered = test::run_task(io, runtime.register_type(std::move(type), std::move(factory)));
    ASSERT_TRUE(registered) << registered.error().message;
  }
  void host(std::string type, Closure closure) {
    const Result<> registered = test::run_task(io, runtime.register_closure(std::move(type), std::move(closure)));
    ASSERT_TRUE(registered) << registered.error().message;
  }

  /// Hosts an agent `user` whose turns run the tool call that they get.
  void use(ToolBox box) {
    host("user", [box](const Payload& message, Context& context) -> Task<Result<Payload>> {
      Result<ToolCall> call = from_payload<ToolCall>(message);
      if (!call) co_return fail(call.error());
      co_await box.refresh(context);
      Result<ToolResult> result = co_await box.run(*call, context);
      if (!result) co_return fail(result.error());
      co_return to_payload(*result);
    });
  }

  /// One call in a turn of the agent `user`; the parts that it streamed are in `parts`.
  Result<ToolResult> run(const std::string& tool, const std::string& arguments,
                         std::chrono::milliseconds limit = std::chrono::hours(1)) {
    std::optional<Result<ToolResult>> result;
    asio::co_spawn(io, listen(tool, arguments, limit, result), asio::detached);
    while (!result) {
      io.restart();
      io.poll();
      if (!result) runtime.advance(std::chrono::milliseconds(100));
    }
    return *result;
  }

  asio::io_context io;
  ManualClock clock;
  LocalRuntime runtime{io, clock};
  std::shared_ptr<RecordKeeper> keeper = std::make_shared<RecordKeeper>();
  std::vector<Payload> parts;

 private:
  Task<> listen(std::string tool, std::string arguments, std::chrono::milliseconds limit,
                std::optional<Result<ToolResult>>& result) {
    const ToolCall call{"call-1", tool, arguments};
    CallOptions options;
    options.timeout = limit;
    options.attributes.emplace_back("conversation", "talk");
    Result<ReplyStream> stream =
        co_await runtime.client().request_stream(*AgentId::parse("user/1"), to_payload(call), std::move(options));
    if (!stream) {
      result = fail(stream.error());
      co_return;
    }
    for (;;) {
      Result<std::optional<Payload>> piece = co_await stream->next();
      if (!piece) {
        result = fail(piece.error());
        co_return;
      }
      if (!*piece) break;
      parts.push_back(std::move(**piece));
    }
    result = from_payload<ToolResult>(stream->reply());
  }
};

}  // namespace parley::tools
