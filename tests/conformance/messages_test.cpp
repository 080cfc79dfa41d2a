// Requests, sends and events: who gets them, in which order, and what the sender learns.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>
#include <set>

#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"
#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using asio::experimental::awaitable_operators::operator&&;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Greeter final : public TypedAgent<Greeter, Ask> {
 public:
  Task<Result<Said>> on(const Ask& message, Context&) { co_return Said{"hello " + message.text, message.number}; }
};

class Silent final : public TypedAgent<Silent, Ask> {
 public:
  Task<Result<void>> on(const Ask&, Context&) { co_return Result<void>{}; }
};

AgentFactory greeters() {
  return [](const AgentId&) { return std::make_unique<Greeter>(); };
}

template <class BusType>
class Messages : public Conformance<BusType> {};
TYPED_TEST_SUITE(Messages, Buses, BusNames);

TYPED_TEST(Messages, request_brings_the_typed_reply) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("greeter", greeters())), "ok");
    const Result<Said> reply = co_await runtime.client().template request<Said>(target("greeter/ann"), ask("ann", 7));
    EXPECT_EQ(code_of(reply), "ok");
    if (reply) {
      EXPECT_EQ(reply->text, "hello ann");
    }
    if (reply) {
      EXPECT_EQ(reply->number, 7);
    }
  });
}

TYPED_TEST(Messages, unknown_type_is_an_error_at_once_and_names_near_ones) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("finance", greeters())), "ok");
    const Result<Payload> reply = co_await runtime.client().request(target("fiance/x"), asked("x"));
    EXPECT_EQ(code_of(reply), "unknown_agent_type");
    if (!reply) {
      EXPECT_THAT(reply.error().message, HasSubstr("finance"));
    }
  });
}

TYPED_TEST(Messages, send_to_an_unknown_type_fails) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.client().send(target("nobody/x"), ask("x"))), "unknown_agent_type");
  });
}

TYPED_TEST(Messages, handler_that_returns_nothing_gives_an_empty_reply) {
  this->run([](Runtime& runtime) -> Task<> {
    EXPECT_EQ(
        code_of(co_await runtime.register_type("silent", [](const AgentId&) { return std::make_unique<Silent>(); })),
        "ok");
    const Result<Payload> reply = co_await runtime.client().request(target("silent/x"), asked("x"));
    EXPECT_EQ(code_of(reply), "ok");
    if (reply) {
      EXPECT_TRUE(reply->is_empty());
    }
  });
}

TYPED_TEST(Messages, two_clients_with_equal_request_numbers_get_their_own_replies) {
  this->run([this](Runtime& runtime) -> Task<> {
    EXPECT_EQ(code_of(co_await runtime.register_type("greeter", greeters())), "ok");
    Runtime& other = this->bus_.other();
    for (int i = 0; i < 20; ++i) {
      auto [mine, theirs] = co_await (runtime.client().template request<Said>(target("greeter/a"), ask("me", i)) &&
                                      other.client().template request<Said>(target("greeter/a"), ask("them", i)));
      EXPECT_EQ(code_of(mine), "ok");
      EXPECT_EQ(code_of(theirs), "ok");
      if (mine) {
        EXPECT_EQ(mine->text, "hello me");
      }
      if (theirs) {
        EXPECT_EQ(theirs->text, "hello them");
      }
    }
  });
}

TYPED_TEST(Messages, slow_first_message_keeps_the_order) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("slow", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           if (message.number == 1) (void)co_await context.sleep(std::chrono::milliseconds(50));
                           this->heard_.push_back(message.text);
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.client().send(target("slow/x"), ask("first", 1))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().send(target("slow/x"), ask("second", 2))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("slow/x"), asked("third", 3))), "ok");
    EXPECT_THAT(this->heard_, ElementsAre("first", "second", "third"));
  });
}

TYPED_TEST(Messages, handler_knows_who_sent_the_message) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("callee", on_ask([](const Ask&, Context& context) -> Task<Result<Payload>> {
                           co_return to_payload(Said{context.sender().is_empty() ? "nobody" : context.sender().str()});
                         }));
    co_await this->serve("caller", on_ask([](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           co_return co_await context.request(target("callee/x"), to_payload(message));
                         }));
    const Result<Said> direct = co_await runtime.client().template request<Said>(target("callee/x"), ask(""));
    const Result<Said> nested = co_await runtime.client().template request<Said>(target("caller/ann"), ask(""));
    EXPECT_EQ(direct ? direct->text : code_of(direct), "nobody");
    EXPECT_EQ(nested ? nested->text : code_of(nested), "caller/ann");
  });
}

TYPED_TEST(Messages, capability_target_reaches_a_type_that_offers_it) {
  this->run([](Runtime& runtime) -> Task<> {
    TypeOptions options;
    options.capabilities = {"greeting"};
    EXPECT_EQ(code_of(co_await runtime.register_type("greeter", greeters(), options)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("@greeting/x"), asked("x"))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("@greeting"), asked("x"))), "ok");
  });
}

TYPED_TEST(Messages, event_reaches_every_subscribed_type_at_the_topics_source) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve(
        "first", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
          this->heard_.push_back(context.self().str() + " " + context.topic()->str() + " " + message.text);
          co_return Payload{};
        }));
    co_await this->record("second", filters("news"), "second ");
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("news"), "first")), "ok");
    const Result<std::uint32_t> recipients = co_await runtime.client().publish(topic("news/ann"), ask("hi"));
    EXPECT_EQ(recipients_of(recipients), 2);
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 2; }));
    EXPECT_THAT(this->heard_, UnorderedElementsAre("first/ann news/ann hi", "second hi"));
  });
}

TYPED_TEST(Messages, overlapping_subscriptions_deliver_once_per_recipient) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->record("reader", filters("orders.created", "orders.*", "*"));
    const Result<std::uint32_t> recipients = co_await runtime.client().publish(topic("orders.created/x"), ask("one"));
    EXPECT_EQ(recipients_of(recipients), 1);
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked("end"))), "ok");
    EXPECT_THAT(this->heard_, ElementsAre("one", "end"));
  });
}

TYPED_TEST(Messages, event_published_in_a_handler_keeps_the_sessions_key) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("step", on_ask([](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           const Result<std::uint32_t> published = co_await context.publish("done", message);
                           if (!published) co_return fail(published.error());
                           co_return Payload{};
                         }));
    co_await this->serve("watch", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(context.self().str());
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("start"), "step")), "ok");
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("done"), "watch")), "ok");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("start/session-7"), ask(""))), 1);
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("watch/session-7"));
  });
}

TYPED_TEST(Messages, event_of_a_client_has_no_sender_and_is_no_request) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("reader", on_ask([this](const Ask&, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(context.sender().is_empty() ? "nobody" : context.sender().str());
                           this->heard_.push_back(context.is_request() ? "request" : "event");
                           this->heard_.push_back(context.topic() ? context.topic()->str() : "no topic");
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("news"), "reader")), "ok");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("hi"))), 1);
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 3; }));
    EXPECT_THAT(this->heard_, ElementsAre("nobody", "event", "news/x"));
  });
}

TYPED_TEST(Messages, trace_context_travels_with_requests_and_events) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto note_trace = [this](Context& context) {
      this->heard_.emplace_back(context.attribute(wire::attribute::kTraceparent));
    };
    co_await this->serve("second", on_ask([note_trace](const Ask&, Context& context) -> Task<Result<Payload>> {
                           note_trace(context);
                           co_return Payload{};
                         }));
    co_await this->serve("first", on_ask([note_trace](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           note_trace(context);
                           (void)co_await context.publish("traced", message);
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("traced"), "second")), "ok");
    CallOptions traced;
    traced.is_traced = true;
    EXPECT_EQ(code_of(co_await runtime.client().request(target("first/x"), asked("go"), traced)), "ok");
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 2; }));
    EXPECT_FALSE(this->heard_.at(0).empty());
    EXPECT_EQ(this->heard_.at(0), this->heard_.at(1));
  });
}

// The broker's record of a trace shows under which id each message came in.
TYPED_TEST(Messages, have_ids_of_their_own_whatever_their_kind) {
  this->run([this](Runtime& runtime) -> Task<> {
    constexpr std::size_t kRounds = 5;
    const std::string trace_id(32, 'a');
    co_await this->record("reader", filters("news"));
    CallOptions traced;
    traced.is_traced = true;
    traced.attributes.emplace_back(wire::attribute::kTraceparent, "00-" + trace_id + "-b7ad6b7169203331-01");
    for (std::size_t i = 0; i < kRounds; ++i) {
      EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked("m"), traced)), "ok");
      EXPECT_EQ(code_of(co_await runtime.client().send(target("reader/x"), ask("m"), traced)), "ok");
      EXPECT_EQ(code_of(co_await runtime.client().publish(topic("news/x"), ask("m"), traced)), "ok");
    }
    wire::Query query;
    query.what = "trace";
    query.key = trace_id;
    const Result<Payload> answer = co_await runtime.query(query);
    EXPECT_EQ(code_of(answer), "ok");
    if (!answer) co_return;
    const auto report = wire::decode_body<wire::TraceReport>(as_bytes(answer->bytes)).value();
    std::multiset<std::uint64_t> ids;
    for (const wire::TraceHop& hop : report.hops) {
      if (hop.kind != "reply" && hop.delivery_id == 0) ids.insert(hop.message_id);
    }
    EXPECT_EQ(ids.size(), 3 * kRounds);
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 3 * kRounds);
    EXPECT_FALSE(ids.contains(0));
  });
}

TYPED_TEST(Messages, five_agents_cascade) {
  this->run([this](Runtime& runtime) -> Task<> {
    for (int i = 1; i <= 5; ++i) {
      const std::string type = "stage" + std::to_string(i);
      co_await this->serve(type, on_ask([this, i](const Ask& message, Context& context) -> Task<Result<Payload>> {
                             this->heard_.push_back(context.self().str());
                             if (i < 5) (void)co_await context.publish("cascade." + std::to_string(i + 1), message);
                             co_return Payload{};
                           }));
      EXPECT_EQ(code_of(co_await runtime.subscribe(filter("cascade." + std::to_string(i)), type)), "ok");
    }
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("cascade.1/s"), ask(""))), 1);
    EXPECT_TRUE(co_await this->eventually([this] { return this->heard_.size() == 5; }));
    EXPECT_THAT(this->heard_, ElementsAre("stage1/s", "stage2/s", "stage3/s", "stage4/s", "stage5/s"));
  });
}

TYPED_TEST(Messages, agent_does_not_hear_its_own_event) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->serve("echo", on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
                           this->heard_.push_back(context.self().key() + ":" + message.text);
                           if (message.text == "go") (void)co_await context.publish(topic("loop/one"), ask("again"));
                           co_return Payload{};
                         }));
    EXPECT_EQ(code_of(co_await runtime.subscribe(filter("loop"), "echo")), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("echo/one"), asked("go"))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("echo/two"), asked("go"))), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("echo/one"), asked("end"))), "ok");
    EXPECT_THAT(this->heard_, ElementsAre("one:go", "two:go", "one:again", "one:end"));
  });
}

TYPED_TEST(Messages, publish_without_a_subscriber_has_no_recipients_and_leaves_a_dead_letter) {
  this->run([this](Runtime& runtime) -> Task<> {
    const Result<std::uint32_t> recipients = co_await runtime.client().publish(topic("nobody-cares/x"), ask("hi"));
    EXPECT_EQ(recipients_of(recipients), 0);
    EXPECT_THAT(co_await this->dead_letter_codes(1), ElementsAre("no_subscriber"));
  });
}

TYPED_TEST(Messages, no_event_arrives_after_unsubscribe) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->record("reader");
    const Result<SubscriptionHandle> handle = co_await runtime.subscribe(filter("news"), "reader");
    EXPECT_EQ(code_of(handle), "ok");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("one"))), 1);
    EXPECT_EQ(code_of(co_await runtime.unsubscribe(handle.value_or(0))), "ok");
    EXPECT_EQ(code_of(co_await runtime.unsubscribe(handle.value_or(0))), "invalid");
    EXPECT_EQ(recipients_of(co_await runtime.client().publish(topic("news/x"), ask("two"))), 0);
    EXPECT_EQ(code_of(co_await runtime.client().request(target("reader/x"), asked("end"))), "ok");
    EXPECT_THAT(this->heard_, ElementsAre("one", "end"));
  });
}

TYPED_TEST(Messages, send_before_start_waits_for_the_session) {
  co_spawn(
      this->bus_.io,
      [this]() -> Task<> {
        EXPECT_EQ(code_of(co_await this->bus_.runtime().client().send(target("reader/x"), ask("early"))), "ok");
      },
      asio::detached);
  run_until(this->bus_.io, this->record("reader"));
  this->run([this](Runtime&) -> Task<> {
    EXPECT_TRUE(co_await this->eventually([this] { return !this->heard_.empty(); }));
    EXPECT_THAT(this->heard_, ElementsAre("early"));
  });
}

}  // namespace
}  // namespace parley::conformance
