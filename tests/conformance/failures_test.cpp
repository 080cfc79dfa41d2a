// What goes wrong in a handler, on the way, or with time: every call ends in one typed outcome, every lost one-way
// message in a dead letter.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>
#include <stdexcept>

#include "libmsg/messages/budget_refusal.hpp"
#include "libmsg/wire/limits.hpp"
#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using asio::experimental::awaitable_operators::operator||;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Typed final : public TypedAgent<Typed, Ask> {
 public:
  Task<Result<Said>> on(const Ask& message, Context&) { co_return Said{message.text}; }
};

Closure throwing() {
  return [](const Payload&, Context&) -> Task<Result<Payload>> {
    throw std::runtime_error("boom");
    co_return Payload{};
  };
}

template <class BusType>
class Failures : public Conformance<BusType> {};
TYPED_TEST_SUITE(Failures, Buses, BusNames);

TYPED_TEST(Failures, message_type_without_a_handler_is_no_handler) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(
        code_of(co_await runtime.register_type("typed", [](const AgentId&) { return std::make_unique<Typed>(); })),
        "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("typed/x"), to_payload(unheard()))), "no_handler");
  });
}

TYPED_TEST(Failures, malformed_payload_is_invalid) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(
        code_of(co_await runtime.register_type("typed", [](const AgentId&) { return std::make_unique<Typed>(); })),
        "ok");
    Payload broken{"test.Ask", "\xc1 this is not msgpack"};
    EXPECT_EQ(code_of(co_await runtime.client().request(target("typed/x"), broken)), "invalid");
  });
}

TYPED_TEST(Failures, exception_of_a_handler_is_handler_failed_with_its_text) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("bomb", throwing());
    const Result<Payload> reply = co_await runtime.client().request(target("bomb/x"), asked("x"));
    EXPECT_EQ(code_of(reply), "handler_failed");
    if (!reply) {
      EXPECT_THAT(reply.error().message, HasSubstr("boom"));
    }
  });
}

// [P-ERR-3]
TYPED_TEST(Failures, details_of_an_error_reach_the_caller_through_another_agent_also_when_traced) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto refuse = [](const Ask&, Context&) -> Task<Result<Payload>> {
      Error error(ErrorCode::budget_exceeded, "no room");
      error.details = messages::to_details({"desk", "agent_type", "poor", "day", 5, std::nullopt, 4, 0, WallTime(7ms)});
      co_return fail(std::move(error));
    };
    co_await this->serve("poor", on_ask(refuse));
    const auto forward = [](const Ask& message, Context& context) -> Task<Result<Payload>> {
      co_return co_await context.request(target("poor/x"), to_payload(message));
    };
    co_await this->serve("front", on_ask(forward));
    for (const bool is_traced : {false, true}) {
      CallOptions options;
      options.is_traced = is_traced;
      const Result<Payload> reply = co_await runtime.client().request(target("front/x"), asked("x"), options);
      EXPECT_EQ(code_of(reply), "budget_exceeded");
      if (reply) continue;
      const auto refusal = messages::budget_refusal(reply.error());
      EXPECT_TRUE(refusal);
      if (!refusal) continue;
      EXPECT_EQ(refusal->budget, "desk");
      EXPECT_EQ(refusal->scope, "agent_type");
      EXPECT_EQ(refusal->subject, "poor");
      EXPECT_EQ(refusal->per, "day");
      EXPECT_EQ(refusal->limit_nano_usd, 5U);
      EXPECT_EQ(refusal->spent_nano_usd, 4U);
      EXPECT_EQ(refusal->limit_tokens, std::nullopt);
      EXPECT_EQ(refusal->resets_at, WallTime(7ms));
    }
  });
}

TYPED_TEST(Failures, agent_survives_its_handlers_exception) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("moody", on_ask([](const Ask& message, Context&) -> Task<Result<Payload>> {
                           if (message.number == 1) throw std::runtime_error("not today");
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("moody/x"), asked("", 1))), "handler_failed");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("moody/x"), asked("", 2))), "ok");
  });
}

TYPED_TEST(Failures, factory_that_throws_is_activation_failed) {
  this->run([](Runtime& runtime) -> Task<> {
    const AgentFactory broken = [](const AgentId&) -> std::unique_ptr<Agent> { throw std::runtime_error("no parts"); };
    EXPECT_EQ(code_of(co_await runtime.register_type("broken", broken)), "ok");
    const Result<Payload> reply = co_await runtime.client().request(target("broken/x"), asked("x"));
    EXPECT_EQ(code_of(reply), "activation_failed");
    if (!reply) {
      EXPECT_THAT(reply.error().message, HasSubstr("no parts"));
    }
  });
}

TYPED_TEST(Failures, factory_that_fails_once_is_asked_again) {
  this->run([](Runtime& runtime) -> Task<> {
    auto attempts = std::make_shared<int>(0);
    const AgentFactory flaky = [attempts](const AgentId&) -> std::unique_ptr<Agent> {
      if (++*attempts == 1) throw std::runtime_error("not yet");
      return std::make_unique<Typed>();
    };
    EXPECT_EQ(code_of(co_await runtime.register_type("flaky", flaky)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("flaky/x"), asked("x"))), "activation_failed");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("flaky/x"), asked("x"))), "ok");
  });
}

TYPED_TEST(Failures, failing_subscriber_leaves_a_dead_letter_and_the_others_get_theirs) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("bomb", throwing());
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("news"), "bomb")), "ok");
    co_await this->record("healthy", filters("news"));
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("hi"))), 2);
    EXPECT_THAT(co_await this->dead_letter_codes(1), ElementsAre("handler_failed"));
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("hi"));
  });
}

TYPED_TEST(Failures, subscriber_that_cannot_be_made_leaves_a_dead_letter_and_the_others_get_theirs) {
  this->run([this](Runtime& runtime) -> Task<> {
    const AgentFactory broken = [](const AgentId&) -> std::unique_ptr<Agent> { throw std::runtime_error("no parts"); };
    EXPECT_EQ(code_of(co_await runtime.register_type("broken", broken)), "ok");
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("news"), "broken")), "ok");
    co_await this->record("healthy", filters("news"));
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("hi"))), 2);
    EXPECT_THAT(co_await this->dead_letter_codes(1), ElementsAre("activation_failed"));
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("hi"));
  });
}

TYPED_TEST(Failures, failing_handler_of_a_send_leaves_a_dead_letter) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("bomb", throwing());
    EXPECT_EQ(code_of(co_await runtime.client().send(target("bomb/x"), ask("x"))), "ok");
    EXPECT_THAT(co_await this->dead_letter_codes(1), ElementsAre("handler_failed"));
  });
}

TYPED_TEST(Failures, call_chain_that_comes_back_is_a_deadlock) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto forward_to = [](std::string next) {
      return on_ask([next](const Ask& message, Context& context) -> Task<Result<Payload>> {
        co_return co_await context.request(target(next), to_payload(message));
      });
    };
    co_await this->serve("alpha", forward_to("beta/x"));
    co_await this->serve("beta", forward_to("alpha/x"));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("alpha/x"), asked(""), within(20s))), "deadlock");
  });
}

TYPED_TEST(Failures, reentrant_type_takes_the_call_that_comes_back) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions reentrant;
    reentrant.is_reentrant = true;
    co_await this->serve("alpha", on_ask([](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           if (message.number == 2) co_return to_payload(Said{"came back"});
                           co_return co_await context.request(target("beta/x"), to_payload(message));
                         }),
                         reentrant);
    co_await this->serve("beta", on_ask([](const Ask&, Context& context) -> Task<Result<Payload>> {
                           co_return co_await context.request(target("alpha/x"), to_payload(ask("", 2)));
                         }));
    const Result<Said> reply = co_await runtime.client().template request<Said>(target("alpha/x"), ask("", 1));
    EXPECT_EQ(reply ? reply->text : code_of(reply), "came back");
  });
}

TYPED_TEST(Failures, request_ends_at_its_deadline) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("sleeper", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(code_of(co_await context.sleep(60s)));
                           EXPECT_TRUE(context.is_cancelled());
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("sleeper/x"), asked(""), within(50ms))), "timeout");
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("cancelled"));
  });
}

TYPED_TEST(Failures, deadline_travels_to_nested_calls) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("inner", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           EXPECT_TRUE(context.deadline().has_value());
                           if (context.deadline())
                             this->heard_.push_back(*context.deadline() - context.now() <= 10s ? "short" : "long");
                           co_return Payload{};
                         }));
    co_await this->serve("outer", on_ask([](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           co_return co_await context.request(target("inner/x"), to_payload(message), within(1h));
                         }));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("outer/x"), asked(""), within(10s))), "ok");
    EXPECT_THAT(this->heard_, ElementsAre("short"));
  });
}

TYPED_TEST(Failures, cancel_reaches_the_handler_and_what_it_awaits) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("inner", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back("inner started");
                           const Result<> slept = co_await context.sleep(60s);
                           this->heard_.push_back("inner " + code_of(slept));
                           co_return Payload{};
                         }));
    co_await this->serve(
        "outer", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
          const Result<Payload> reply = co_await context.request(target("inner/x"), to_payload(message), within(60s));
          this->heard_.push_back("outer " + code_of(reply) + (context.is_cancelled() ? " seen" : " unseen"));
          co_return Payload{};
        }));
    co_await (runtime.client().request(target("outer/x"), asked(""), within(60s)) ||
              this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 3; }));
    EXPECT_THAT(this->heard_,
                ::testing::UnorderedElementsAre("inner started", "inner cancelled", "outer cancelled seen"));
  });
}

TYPED_TEST(Failures, full_mailbox_is_overloaded) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions small;
    small.max_mailbox = 1;
    co_await this->serve("busy", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(message.text);
                           if (message.text == "first") (void)co_await context.sleep(200ms);
                           co_return Payload{};
                         }),
                         small);
    auto [first, second, third] = co_await (runtime.client().request(target("busy/x"), asked("first")) &&
                                            runtime.client().request(target("busy/x"), asked("second")) &&
                                            runtime.client().request(target("busy/x"), asked("third")));
    EXPECT_EQ(code_of(first), "ok");
    EXPECT_EQ(code_of(second), "ok");
    EXPECT_EQ(code_of(third), "overloaded");
  });
}

// The first is at work all the time; two wait for its end until nobody waits for them any more.
TYPED_TEST(Failures, request_cancelled_while_it_waits_gives_its_place_back_and_never_runs) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions small;
    small.max_mailbox = 2;
    co_await this->serve("busy", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(message.text);
                           if (message.text == "first") (void)co_await context.sleep(500ms);
                           co_return Payload{};
                         }),
                         small);
    const auto late = [this, &runtime]() -> Task<> {
      co_await this->eventually([this] { return !this->heard_.empty(); });
      auto [second, third] = co_await (runtime.client().request(target("busy/x"), asked("second"), within(50ms)) &&
                                       runtime.client().request(target("busy/x"), asked("third"), within(50ms)));
      EXPECT_EQ(code_of(second), "timeout");
      EXPECT_EQ(code_of(third), "timeout");
      auto [fourth, fifth] = co_await (runtime.client().request(target("busy/x"), asked("fourth")) &&
                                       runtime.client().request(target("busy/x"), asked("fifth")));
      EXPECT_EQ(code_of(fourth), "ok");
      EXPECT_EQ(code_of(fifth), "ok");
    };
    co_await (runtime.client().request(target("busy/x"), asked("first")) && late());
    EXPECT_THAT(this->heard_, ElementsAre("first", "fourth", "fifth"));
  });
}

TYPED_TEST(Failures, too_large_payload_fails_at_its_sender) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->record("reader");
    const Payload huge{"test.Ask", std::string(wire::kMaxPayloadBytes + 1, 'x')};
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), huge)), "too_large");
    EXPECT_EQ(code_of(co_await runtime.client().send(target("reader/x"), huge)), "too_large");
  });
}

TYPED_TEST(Failures, too_large_reply_is_an_error_at_the_caller) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("verbose", on_ask([](const Ask&, Context&) -> Task<Result<Payload>> {
                           co_return Payload{"test.Said", std::string(wire::kMaxPayloadBytes + 1, 'x')};
                         }));
    EXPECT_EQ(code_of(co_await runtime.client().request(target("verbose/x"), asked(""))), "too_large");
  });
}

TYPED_TEST(Failures, message_to_an_unregistered_key_of_ready_instances_is_undeliverable) {
  this->run([](Runtime& runtime) -> Task<> {
    auto instance = std::make_shared<Typed>();
    EXPECT_EQ(code_of(co_await runtime.register_instance(AgentId::parse("ready/one").value(), instance)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("ready/one"), asked("x"))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("ready/two"), asked("x"))), "undeliverable");
  });
}

TYPED_TEST(Failures, requests_under_way_end_with_shutting_down_when_the_runtime_stops) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("sleeper", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back("started");
                           (void)co_await context.sleep(60s);
                           co_return Payload{};
                         }));
    const auto stop_soon = [this, &runtime]() -> Task<> {
      co_await this->eventually([this] { return !this->heard_.empty(); });
      co_await runtime.stop(20ms);
    };
    auto reply = co_await (runtime.client().request(target("sleeper/x"), asked("")) && stop_soon());
    EXPECT_EQ(code_of(reply), "shutting_down");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("sleeper/x"), asked(""))), "shutting_down");
  });
}

}  // namespace
}  // namespace parley::conformance
