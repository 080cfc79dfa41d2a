// Streams, interceptors, activation, state, stop.
#include <asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>

#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Counts its messages and keeps the count over passivation.
class Counter final : public TypedAgent<Counter, Ask> {
 public:
  explicit Counter(std::vector<std::string>& log) : log_(log) {}
  Task<Result<Said>> on(const Ask&, Context&) { co_return Said{"", ++count_}; }
  Task<Result<>> on_activate(Context& context) override {
    log_.push_back("activate " + context.self().str());
    co_return Result<>{};
  }
  Task<> on_deactivate() override {
    log_.emplace_back("deactivate");
    co_return;
  }
  [[nodiscard]] Result<std::string> save_state() const override { return std::to_string(count_); }
  Result<> load_state(std::string_view state) override {
    count_ = std::stoi(std::string(state));
    return {};
  }

 private:
  std::vector<std::string>& log_;
  std::int64_t count_ = 0;
};

AgentFactory counters(std::vector<std::string>& log) {
  return [&log](const AgentId&) { return std::make_unique<Counter>(log); };
}

class Suffix final : public Interceptor {
 public:
  explicit Suffix(std::string suffix) : suffix_(std::move(suffix)) {}
  Verdict on_send(Intercepted& message) override { return add(message); }
  Verdict on_publish(Intercepted& message) override { return add(message); }

 private:
  Verdict add(Intercepted& message) {
    Result<Ask> asked = from_payload<Ask>(message.payload);
    if (!asked) return Verdict::pass();
    if (asked->text.starts_with("drop")) return Verdict::drop();
    if (asked->text.starts_with("refuse")) return Verdict::refuse({ErrorCode::budget_exceeded, "too dear"});
    asked->text += suffix_;
    message.payload = to_payload(*asked);
    return Verdict::pass();
  }
  std::string suffix_;
};

class Censor final : public Interceptor {
 public:
  Verdict on_response(Intercepted& message) override {
    const Result<Said> said = from_payload<Said>(message.payload);
    if (said && said->text == "secret") return Verdict::drop();
    if (said) message.payload = to_payload(Said{said->text + "!"});
    return Verdict::pass();
  }
};

/// Writes down which responses it sees, and marks them; refuses what its text forbids.
class Marker final : public Interceptor {
 public:
  Marker(std::string mark, std::vector<std::string>& log) : mark_(std::move(mark)), log_(log) {}
  Verdict on_response(Intercepted& message) override {
    const Result<Said> said = from_payload<Said>(message.payload);
    if (!said) return Verdict::pass();
    log_.push_back(mark_ + " " + said->text);
    if (said->text.starts_with("forbidden")) return Verdict::refuse({ErrorCode::budget_exceeded, "not this"});
    message.payload = to_payload(Said{said->text + mark_, said->number});
    return Verdict::pass();
  }

 private:
  std::string mark_;
  std::vector<std::string>& log_;
};

template <class BusType>
class Lifecycle : public Conformance<BusType> {
 protected:
  Task<> serve_stream(std::string type, int parts, std::chrono::milliseconds pause) {
    co_await this->serve(std::move(type),
                         on_ask([this, parts, pause](const Ask&, Context& context) -> Task<Result<Payload>> {
                           for (int i = 0; i < parts; ++i) {
                             const Result<> sent = co_await context.part(said("part", i));
                             if (!sent) {
                               this->heard_.push_back(code_of(sent));
                               co_return fail(sent.error());
                             }
                             if (pause > 0ms) (void)co_await context.sleep(pause);
                           }
                           co_return to_payload(Said{"end", parts});
                         }));
  }
};
TYPED_TEST_SUITE(Lifecycle, Buses, BusNames);

TYPED_TEST(Lifecycle, streamed_reply_brings_its_parts_in_order_and_then_the_final_reply) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve_stream("writer", 100, 0ms);
    Result<ReplyStream> stream = co_await runtime.client().request_stream(target("writer/x"), to_payload(ask("")));
    EXPECT_EQ(code_of(stream), "ok");
    if (!stream) co_return;
    std::int64_t expected = 0;
    for (;;) {
      Result<std::optional<Payload>> part = co_await stream->next();
      EXPECT_EQ(code_of(part), "ok");
      if (!part || !*part) break;
      EXPECT_EQ(from_payload<Said>(**part).value().number, expected++);
    }
    EXPECT_EQ(expected, 100);
    EXPECT_EQ(from_payload<Said>(stream->reply()).value().text, "end");
  });
}

TYPED_TEST(Lifecycle, plain_request_to_a_streaming_agent_gets_the_final_reply) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve_stream("writer", 3, 0ms);
    const Result<Said> reply = co_await runtime.client().template request<Said>(target("writer/x"), ask(""));
    EXPECT_EQ(reply ? reply->text : code_of(reply), "end");
  });
}

TYPED_TEST(Lifecycle, dropped_stream_cancels_the_request) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve_stream("writer", 100000, 2ms);
    {
      Result<ReplyStream> stream = co_await runtime.client().request_stream(target("writer/x"), to_payload(ask("")));
      EXPECT_EQ(code_of(stream), "ok");
      if (stream) {
        EXPECT_EQ(code_of(co_await stream->next()), "ok");
      }
    }
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("cancelled"));
  });
}

TYPED_TEST(Lifecycle, error_ends_a_stream_after_its_parts) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("breaks", on_ask([](const Ask&, Context& context) -> Task<Result<Payload>> {
                           (void)co_await context.part(said("one"));
                           co_return fail(ErrorCode::upstream_failed, "the model hung up");
                         }));
    Result<ReplyStream> stream = co_await runtime.client().request_stream(target("breaks/x"), to_payload(ask("")));
    EXPECT_EQ(code_of(stream), "ok");
    if (!stream) co_return;
    EXPECT_EQ(code_of(co_await stream->next()), "ok");
    EXPECT_EQ(code_of(co_await stream->next()), "upstream_failed");
    EXPECT_EQ(code_of(co_await stream->next()), "upstream_failed");
  });
}

TYPED_TEST(Lifecycle, interceptors_are_chained_in_the_order_in_which_they_were_added) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Suffix>("+1"));
    runtime.add_interceptor(std::make_shared<Suffix>("+2"));
    co_await this->record("reader", filters("news"));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked("m"))), "ok");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("e"))), 1);
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 2; }));
    EXPECT_THAT(this->heard_, ElementsAre("m+1+2", "e+1+2"));
  });
}

TYPED_TEST(Lifecycle, interceptor_drops_and_refuses) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Suffix>(""));
    co_await this->record("reader", filters("news"));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked("drop"))), "refused");
    EXPECT_EQ(code_of(co_await runtime.client().send(target("reader/x"), ask("refuse"))), "budget_exceeded");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("drop"))), 0);
    EXPECT_EQ(code_of(co_await runtime.client().publish(topic("news/x"), ask("refuse"))), "budget_exceeded");
    EXPECT_TRUE(this->heard_.empty());
  });
}

TYPED_TEST(Lifecycle, interceptor_changes_and_drops_responses) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Censor>());
    co_await this->serve("speaker", on_ask([](const Ask& message, Context&) -> Task<Result<Payload>> {
                           co_return to_payload(Said{message.text});
                         }));
    const Result<Said> open = co_await runtime.client().template request<Said>(target("speaker/x"), ask("open"));
    EXPECT_EQ(open ? open->text : code_of(open), "open!");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("speaker/x"), asked("secret"))), "refused");
  });
}

TYPED_TEST(Lifecycle, interceptors_of_responses_are_chained_and_one_that_refuses_ends_the_chain) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Marker>("+1", this->heard_));
    runtime.add_interceptor(std::make_shared<Marker>("+2", this->heard_));
    co_await this->serve("speaker", on_ask([](const Ask& message, Context&) -> Task<Result<Payload>> {
                           co_return to_payload(Said{message.text});
                         }));
    const Result<Said> open = co_await runtime.client().template request<Said>(target("speaker/x"), ask("open"));
    EXPECT_EQ(open ? open->text : code_of(open), "open+1+2");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("speaker/x"), asked("forbidden"))), "budget_exceeded");
    EXPECT_THAT(this->heard_, ElementsAre("+1 open", "+2 open+1", "+1 forbidden"));
  });
}

TYPED_TEST(Lifecycle, interceptor_changes_the_parts_of_a_streamed_reply) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Censor>());
    co_await this->serve_stream("writer", 2, 0ms);
    Result<ReplyStream> stream = co_await runtime.client().request_stream(target("writer/x"), to_payload(ask("")));
    EXPECT_EQ(code_of(stream), "ok");
    if (!stream) co_return;
    std::vector<std::string> parts;
    for (;;) {
      Result<std::optional<Payload>> part = co_await stream->next();
      EXPECT_EQ(code_of(part), "ok");
      if (!part || !*part) break;
      parts.push_back(from_payload<Said>(**part).value().text);
    }
    EXPECT_THAT(parts, ElementsAre("part!", "part!"));
    EXPECT_EQ(from_payload<Said>(stream->reply()).value().text, "end!");
  });
}

TYPED_TEST(Lifecycle, part_that_an_interceptor_drops_ends_the_turn_and_its_caller_gets_the_error) {
  this->run([this](Runtime& runtime) -> Task<> {
    runtime.add_interceptor(std::make_shared<Censor>());
    co_await this->serve("writer", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           for (const char* text : {"open", "secret", "after"}) {
                             this->heard_.push_back(code_of(co_await context.part(said(text))));
                           }
                           co_return to_payload(Said{"end"});
                         }));
    Result<ReplyStream> stream = co_await runtime.client().request_stream(target("writer/x"), to_payload(ask("")));
    EXPECT_EQ(code_of(stream), "ok");
    if (!stream) co_return;
    const Result<std::optional<Payload>> first = co_await stream->next();
    EXPECT_EQ(first && *first ? from_payload<Said>(**first).value().text : "", "open!");
    EXPECT_EQ(code_of(co_await stream->next()), "refused");
    EXPECT_THAT(this->heard_, ElementsAre("ok", "refused", "refused"));
    EXPECT_THAT(runtime.stats()["writer"].outcomes, ElementsAre(Pair("refused", 1U)));
  });
}

TYPED_TEST(Lifecycle, agent_is_made_by_its_first_message_and_kept) {
  this->run([this](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "ok");
    EXPECT_TRUE(this->heard_.empty());
    for (int i = 1; i <= 3; ++i) {
      const Result<Said> reply = co_await runtime.client().template request<Said>(target("counter/a"), ask(""));
      EXPECT_EQ(reply ? reply->number : -1, i);
    }
    EXPECT_THAT(this->heard_, ElementsAre("activate counter/a"));
  });
}

TYPED_TEST(Lifecycle, idle_agent_is_put_away_and_comes_back_with_its_state) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions options;
    options.idle_timeout = 30ms;
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_), options)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counter/a"), asked(""))), "ok");
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 2; }));
    const Result<Said> reply = co_await runtime.client().template request<Said>(target("counter/a"), ask(""));
    EXPECT_EQ(reply ? reply->number : -1, 2);
    EXPECT_GE(this->heard_.size(), 3U);
    if (this->heard_.size() >= 3) {
      EXPECT_EQ(this->heard_[1], "deactivate");
    }
  });
}

TYPED_TEST(Lifecycle, saved_state_can_be_loaded) {
  this->run([this](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counter/a"), asked(""))), "ok");
    EXPECT_THAT(runtime.save_state().value(), ElementsAre(Pair("counter/a", "1")));
    EXPECT_EQ(code_of(runtime.load_state({{"counter/b", "41"}})), "ok");
    EXPECT_EQ(code_of(runtime.load_state({{"nobody/b", "41"}})), "invalid");
    const Result<Said> reply = co_await runtime.client().template request<Said>(target("counter/b"), ask(""));
    EXPECT_EQ(reply ? reply->number : -1, 42);
  });
}

TYPED_TEST(Lifecycle, agent_type_is_registered_once_and_unregistered) {
  this->run([this](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "ok");
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "invalid");
    EXPECT_EQ(code_of(co_await runtime.register_type("bad name!", counters(this->heard_))), "invalid");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counter/a"), asked(""))), "ok");
    EXPECT_EQ(code_of(co_await runtime.unregister_type("counter")), "ok");
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 2; }));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counter/a"), asked(""), within(5s))),
              "unknown_agent_type");
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counter/a"), asked(""))), "ok");
  });
}

TYPED_TEST(Lifecycle, stop_lets_running_turns_end) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("slow", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back("started");
                           (void)co_await context.sleep(50ms);
                           co_return to_payload(Said{"done"});
                         }));
    const auto stop_soon = [this, &runtime]() -> Task<> {
      co_await this->eventually([this] { return !this->heard_.empty(); });
      co_await runtime.stop(10s);
    };
    auto reply = co_await (runtime.client().template request<Said>(target("slow/x"), ask("")) && stop_soon());
    EXPECT_EQ(reply ? reply->text : code_of(reply), "done");
  });
}

TYPED_TEST(Lifecycle, stop_deactivates_every_agent) {
  this->run([this](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("counter", counters(this->heard_))), "ok");
    for (const char* id : {"counter/a", "counter/b"}) {
      EXPECT_EQ(code_of(co_await runtime.client().request(target(id), asked(""))), "ok");
    }
    co_await runtime.stop(10s);
    EXPECT_THAT(this->heard_, ElementsAre("activate counter/a", "activate counter/b", "deactivate", "deactivate"));
  });
}

TYPED_TEST(Lifecycle, statistics_count_outcomes) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->record("reader");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked(""))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), to_payload(unheard()))), "invalid");
    const TypeStats row = runtime.stats()["reader"];
    EXPECT_EQ(row.requests, 2U);
    EXPECT_EQ(row.activations, 1U);
    EXPECT_THAT(row.outcomes, UnorderedElementsAre(Pair("ok", 1U), Pair("invalid", 1U)));
  });
}

}  // namespace
}  // namespace parley::conformance
