// Which spans turns and calls leave behind, and how the trace context travels.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <gmock/gmock.h>

#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";

class SpanList final : public SpanSink {
 public:
  TraceContext begin_trace() override { return {7, ++last_, next_span_id(), is_sampling}; }
  std::uint64_t next_span_id() override { return ++last_; }
  void record(Span span) override { spans.push_back(std::move(span)); }

  [[nodiscard]] const Span& named(std::string_view name) const {
    const auto found = std::ranges::find(spans, name, &Span::name);
    if (found == spans.end()) throw std::logic_error("no span '" + std::string(name) + "'");
    return *found;
  }

  bool is_sampling = true;
  std::vector<Span> spans;

 private:
  std::uint64_t last_ = 100;
};

std::string text_of(const Span& span, std::string_view name) {
  const auto found = std::ranges::find(span.attributes, name, &SpanAttribute::name);
  return found == span.attributes.end() ? "" : std::get<std::string>(found->value);
}

Target target(std::string_view name) { return Target::parse(name).value(); }

class Spans : public ::testing::Test {
 protected:
  void SetUp() override {
    runtime_.set_span_sink(sink_);
    host("back", [this](const Payload& message, Context& context) -> Task<Result<Payload>> {
      seen_ = context.attribute("traceparent");
      (void)co_await context.sleep(2s);
      if (message.type == "bad") co_return fail(ErrorCode::handler_failed, "on purpose");
      co_return Payload{};
    });
    host("front", [](const Payload& message, Context& context) -> Task<Result<Payload>> {
      Payload forwarded = message;
      co_return co_await context.request(target("back/b"), std::move(forwarded), {});
    });
  }
  void host(std::string type, Closure closure) {
    spawn([this, type, closure]() -> Task<> {
      (void)co_await runtime_.start();
      EXPECT_TRUE((co_await runtime_.register_closure(type, closure)).has_value());
    });
    runtime_.advance(0s);
  }
  template <class Script>
  void spawn(Script script) {
    asio::co_spawn(io_, std::move(script), asio::detached);
  }
  void ask(std::string type, CallOptions options = {}) {
    spawn([this, type, options]() -> Task<> {
      Payload message{type, "12345"};
      (void)co_await runtime_.client().request(target("front/f"), std::move(message), options);
    });
    runtime_.advance(10s);
  }
  static CallOptions traced_by(std::string traceparent) {
    CallOptions options;
    options.attributes.emplace_back("traceparent", std::move(traceparent));
    return options;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Span& span : sink_->spans) names.push_back(span.name);
    return names;
  }

  asio::io_context io_;
  ManualClock clock_;
  std::shared_ptr<SpanList> sink_ = std::make_shared<SpanList>();
  LocalRuntime runtime_{io_, clock_};
  std::string seen_;
};

TEST_F(Spans, of_one_request_lie_in_each_other_from_the_client_to_the_last_agent) {
  ask("good");
  EXPECT_THAT(names(), ElementsAre("process back", "request back", "process front", "request front"));
  const Span& root = sink_->named("request front");
  EXPECT_EQ(root.parent, 0U);
  EXPECT_EQ(sink_->named("process front").parent, root.context.span);
  EXPECT_EQ(sink_->named("request back").parent, sink_->named("process front").context.span);
  EXPECT_EQ(sink_->named("process back").parent, sink_->named("request back").context.span);
  for (const Span& span : sink_->spans) EXPECT_EQ(span.context.trace_id(), root.context.trace_id());
}

TEST_F(Spans, say_in_the_words_of_the_conventions_what_was_sent_and_handled) {
  CallOptions options;
  options.attributes.emplace_back("conversation", "c-1");
  ask("good", options);
  const Span& handled = sink_->named("process back");
  EXPECT_EQ(handled.kind, SpanKind::consumer);
  EXPECT_EQ(text_of(handled, "messaging.system"), "zeromq");
  EXPECT_EQ(text_of(handled, "messaging.operation.type"), "process");
  EXPECT_EQ(text_of(handled, "messaging.destination.name"), "back");
  EXPECT_EQ(text_of(handled, "messaging.message.conversation_id"), "c-1");
  EXPECT_EQ(text_of(handled, "gen_ai.agent.id"), "back/b");
  const Span& call = sink_->named("request back");
  EXPECT_EQ(call.kind, SpanKind::client);
  EXPECT_EQ(text_of(call, "messaging.operation.name"), "request");
  EXPECT_EQ(text_of(call, "messaging.operation.type"), "send");
  EXPECT_EQ(text_of(call, "parley.target"), "back/b");
  EXPECT_EQ(call.ended - call.started, 2s);
}

TEST_F(Spans, of_what_failed_carry_the_error) {
  ask("bad");
  for (const char* name : {"process back", "request back", "process front", "request front"}) {
    const Span& span = sink_->named(name);
    ASSERT_TRUE(span.error.has_value()) << name;
    EXPECT_EQ(span.error->code, ErrorCode::handler_failed) << name;
  }
}

TEST_F(Spans, of_a_call_that_never_left_carry_the_error) {
  CallOptions options;
  options.timeout = 0ms;
  ask("good", options);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Spans, continue_the_trace_that_a_message_brings) {
  ask("good", traced_by(std::string("00-") + kTrace + "-b7ad6b7169203331-01"));
  EXPECT_EQ(sink_->named("request front").parent, 0xb7ad6b7169203331U);
  EXPECT_EQ(sink_->named("process back").context.trace_id(), kTrace);
}

TEST_F(Spans, are_not_recorded_when_the_beginner_of_the_trace_decided_so) {
  ask("good", traced_by(std::string("00-") + kTrace + "-b7ad6b7169203331-00"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(seen_, std::string("00-") + kTrace + "-b7ad6b7169203331-00");
}

TEST_F(Spans, are_decided_about_once_for_a_whole_trace) {
  sink_->is_sampling = false;
  ask("good");
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(seen_.ends_with("-00")) << seen_;
}

TEST_F(Spans, of_a_message_that_is_traced_hop_by_hop_are_always_recorded) {
  sink_->is_sampling = false;
  CallOptions options;
  options.is_traced = true;
  ask("good", options);
  EXPECT_THAT(names(), ElementsAre("process back", "request back", "process front", "request front"));
}

TEST_F(Spans, of_events_name_the_topic_and_who_consumed_it) {
  spawn([this]() -> Task<> {
    const Closure hear = [](const Payload&, Context&) -> Task<Result<Payload>> { co_return Payload{}; };
    const std::vector<TopicFilter> topics{TopicFilter::parse("orders").value()};
    (void)co_await runtime_.register_closure("audit", hear, topics);
    Payload message{"order", ""};
    (void)co_await runtime_.client().publish(Topic::make("orders", "eu").value(), std::move(message), {});
  });
  runtime_.advance(1s);
  EXPECT_THAT(names(), UnorderedElementsAre("publish orders", "process audit"));
  EXPECT_EQ(sink_->named("publish orders").kind, SpanKind::producer);
  EXPECT_EQ(text_of(sink_->named("process audit"), "messaging.destination.name"), "orders");
  EXPECT_EQ(text_of(sink_->named("process audit"), "messaging.consumer.group.name"), "audit");
}

TEST_F(Spans, cost_nothing_and_change_nothing_without_a_sink) {
  runtime_.set_span_sink(nullptr);
  ask("good");
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(seen_, "");
}

}  // namespace
}  // namespace parley
