#include "agents/host/tool_span.hpp"

#include <gmock/gmock.h>

namespace parley::host {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using tools::ToolOutcome;

class ToolSpanSink final : public SpanSink {
 public:
  TraceContext begin_trace() override { return {}; }
  std::uint64_t next_span_id() override { return 42; }
  void record(Span /*span*/) override {}
};

struct ToolSpan : testing::Test {
  std::optional<Span> span(ToolOutcome outcome, std::string_view sampled = "01") {
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-" + std::string(sampled);
    const tools::ToolRecord record{.agent = agent,
                                   .conversation = "talk",
                                   .tool = "web",
                                   .call_id = "c1",
                                   .arguments = R"({"url":"secret"})",
                                   .outcome = outcome,
                                   .problem = "secret",
                                   .approved_by = {},
                                   .duration = 2s,
                                   .waited = 3s,
                                   .result_bytes = 12,
                                   .traceparent = traceparent};
    return make_tool_span(&sink, record, TimePoint(10s));
  }
  static SpanAttribute text(const char* name, const char* value) { return {name, std::string(value)}; }

  ToolSpanSink sink;
  AgentId agent = *AgentId::parse("hr/alice");
  std::string traceparent;
};

TEST_F(ToolSpan, describes_a_call_in_the_words_of_the_conventions) {
  const Span made = span(ToolOutcome::ok).value();
  EXPECT_EQ(made.name, "execute_tool web");
  EXPECT_EQ(made.kind, SpanKind::internal);
  EXPECT_EQ(made.parent, 0xb7ad6b7169203331U);
  EXPECT_EQ(made.context.span, 42U);
  EXPECT_EQ(made.started, TimePoint(8s)) << "a person's time is not the tool's";
  EXPECT_EQ(made.ended, TimePoint(10s));
  EXPECT_FALSE(made.error);
  for (const SpanAttribute& expected :
       {text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "web"),
        text("gen_ai.tool.call.id", "c1"), text("gen_ai.agent.id", "hr/alice"), text("gen_ai.agent.name", "hr"),
        text("gen_ai.conversation.id", "talk"), SpanAttribute{"parley.approval_seconds", 3.0}}) {
    EXPECT_THAT(made.attributes, Contains(expected)) << expected.name;
  }
}

TEST_F(ToolSpan, says_how_a_call_failed_and_never_what_it_was_about) {
  const Span made = span(ToolOutcome::refused).value();
  EXPECT_THAT(made.attributes, Contains(text("error.type", "refused")));
  ASSERT_TRUE(made.error);
  EXPECT_EQ(made.error->message, "refused");
  EXPECT_EQ(span(ToolOutcome::unknown_tool)->name, "execute_tool") << "models make names up";
}

TEST_F(ToolSpan, is_none_without_a_sampled_trace) {
  EXPECT_FALSE(span(ToolOutcome::ok, "00"));
  const tools::ToolRecord untraced{.agent = agent, .tool = "web"};
  EXPECT_FALSE(make_tool_span(&sink, untraced, TimePoint(1s)));
  EXPECT_FALSE(make_tool_span(nullptr, untraced, TimePoint(1s)));
}

}  // namespace
}  // namespace parley::host
