#include "agents/host/model_span.hpp"

#include <gmock/gmock.h>

namespace parley::host {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

class Sink final : public SpanSink {
 public:
  TraceContext begin_trace() override { return {}; }
  std::uint64_t next_span_id() override { return 42; }
  void record(Span /*span*/) override {}
};

llm::ChatRequest request_in(std::string traceparent) {
  llm::ChatRequest request;
  request.messages = {{llm::Role::user, "my secret"}};
  request.caller = {"hr/alice", "c-1", std::move(traceparent)};
  request.max_tokens = 100;
  return request;
}

const std::string kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(ModelSpan, describes_a_call_in_the_words_of_the_conventions) {
  Sink sink;
  auto begun = begin_model_span(&sink, request_in(kTraceparent), "openai", "gpt-4o-mini", TimePoint(1s));
  ASSERT_TRUE(begun.has_value());
  llm::Completion completion;
  completion.text = "the secret";
  completion.usage.model = "gpt-4o-mini-2024";
  completion.usage.input_tokens = 10;
  completion.usage.output_tokens = 5;
  const Span span = end_model_span(std::move(*begun), completion, TimePoint(3s));
  EXPECT_EQ(span.name, "chat gpt-4o-mini");
  EXPECT_EQ(span.kind, SpanKind::client);
  EXPECT_EQ(span.parent, 0xb7ad6b7169203331U);
  EXPECT_EQ(span.context.span, 42U);
  EXPECT_EQ(span.ended - span.started, 2s);
  for (const SpanAttribute& expected :
       std::vector<SpanAttribute>{{"gen_ai.operation.name", std::string("chat")},
                                  {"gen_ai.provider.name", std::string("openai")},
                                  {"gen_ai.request.model", std::string("gpt-4o-mini")},
                                  {"gen_ai.response.model", std::string("gpt-4o-mini-2024")},
                                  {"gen_ai.request.max_tokens", std::int64_t{100}},
                                  {"gen_ai.usage.input_tokens", std::int64_t{10}},
                                  {"gen_ai.usage.output_tokens", std::int64_t{5}},
                                  {"gen_ai.response.finish_reasons", std::vector<std::string>{"stop"}},
                                  {"gen_ai.agent.name", std::string("hr")},
                                  {"gen_ai.conversation.id", std::string("c-1")}}) {
    EXPECT_THAT(span.attributes, Contains(expected)) << expected.name;
  }
}

TEST(ModelSpan, never_holds_what_was_said) {
  Sink sink;
  auto begun = begin_model_span(&sink, request_in(kTraceparent), "openai", "m", TimePoint());
  llm::Completion completion;
  completion.text = "the secret";
  const Span span = end_model_span(std::move(*begun), completion, TimePoint());
  for (const SpanAttribute& attribute : span.attributes) {
    if (const auto* text = std::get_if<std::string>(&attribute.value)) {
      EXPECT_EQ(text->find("secret"), std::string::npos) << attribute.name;
    }
  }
}

TEST(ModelSpan, of_a_failed_call_has_its_error_and_what_it_cost) {
  Sink sink;
  auto begun = begin_model_span(&sink, request_in(kTraceparent), "openai", "m", TimePoint());
  llm::ModelError failure;
  failure.error = Error(ErrorCode::overloaded, "429");
  failure.usage = messages::Usage{};
  const Span span = end_model_span(std::move(*begun), std::unexpected(failure), TimePoint());
  ASSERT_TRUE(span.error.has_value());
  EXPECT_EQ(span.error->code, ErrorCode::overloaded);
  EXPECT_THAT(span.attributes, Contains(SpanAttribute{"gen_ai.usage.input_tokens", std::int64_t{0}}));
}

TEST(ModelSpan, is_none_outside_a_sampled_trace) {
  Sink sink;
  const std::string unsampled = kTraceparent.substr(0, 53) + "00";
  EXPECT_FALSE(begin_model_span(&sink, request_in(unsampled), "openai", "m", TimePoint()).has_value());
  EXPECT_FALSE(begin_model_span(&sink, request_in(""), "openai", "m", TimePoint()).has_value());
  EXPECT_FALSE(begin_model_span(nullptr, request_in(kTraceparent), "openai", "m", TimePoint()).has_value());
}

}  // namespace
}  // namespace parley::host
