// What only the local runtime can do: stop when nothing is left to do, and live in virtual time.
#include "libmsg/runtime/local_runtime.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <gmock/gmock.h>

#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/run.hpp"

namespace parley {
namespace {

using namespace std::chrono_literals;

Payload text(std::string content) { return to_payload(messages::Text{std::move(content), ""}); }
Target target(std::string_view name) { return Target::parse(name).value(); }

/// Sleeps for as many seconds as the message says.
Closure sleeper(int& handled) {
  return [&handled](const Payload& message, Context& context) -> Task<Result<Payload>> {
    const int seconds = std::stoi(from_payload<messages::Text>(message).value().text);
    (void)co_await context.sleep(std::chrono::seconds(seconds));
    handled++;
    co_return Payload{};
  };
}

class VirtualTime : public ::testing::Test {
 protected:
  void SetUp() override {
    spawn([this]() -> Task<> {
      EXPECT_TRUE((co_await runtime_.start()).has_value());
      EXPECT_TRUE((co_await runtime_.register_closure("sleeper", sleeper(handled_))).has_value());
    });
    runtime_.advance(0s);
  }
  template <class Script>
  void spawn(Script script) {
    asio::co_spawn(io_, std::move(script), asio::detached);
  }
  void request(std::string seconds, std::chrono::milliseconds timeout) {
    spawn([this, seconds, timeout]() -> Task<> {
      CallOptions options;
      options.timeout = timeout;
      const Result<Payload> reply = co_await runtime_.client().request(target("sleeper/x"), text(seconds), options);
      outcomes_.push_back(reply ? "ok" : to_string(reply.error().code));
    });
  }

  asio::io_context io_;
  ManualClock clock_;
  LocalRuntime runtime_{io_, clock_};
  int handled_ = 0;
  std::vector<std::string> outcomes_;
};

TEST_F(VirtualTime, stands_still_until_it_is_advanced) {
  request("10", 1min);
  runtime_.advance(9s);
  EXPECT_TRUE(outcomes_.empty());
  runtime_.advance(1s);
  EXPECT_THAT(outcomes_, ::testing::ElementsAre("ok"));
}

TEST_F(VirtualTime, request_times_out_at_its_deadline) {
  request("10", 5s);
  runtime_.advance(4s);
  EXPECT_TRUE(outcomes_.empty());
  runtime_.advance(2s);
  EXPECT_THAT(outcomes_, ::testing::ElementsAre("timeout"));
}

TEST_F(VirtualTime, message_that_waited_too_long_for_its_turn_does_not_run) {
  request("10", 1min);
  request("0", 5s);
  runtime_.advance(1min);
  EXPECT_THAT(outcomes_, ::testing::ElementsAre("timeout", "ok"));
  EXPECT_EQ(handled_, 1);
}

TEST_F(VirtualTime, idle_agent_is_put_away) {
  request("0", 1min);
  runtime_.advance(1s);
  EXPECT_EQ(runtime_.stats()["sleeper"].activations, 1U);
  runtime_.advance(16min);
  EXPECT_EQ(runtime_.stats()["sleeper"].activations, 0U);
}

TEST(LocalRuntime, stops_when_nothing_is_left_to_do) {
  asio::io_context io;
  LocalRuntime runtime(io);
  int handled = 0;
  run_until(io, [](LocalRuntime& local, int& count) -> Task<> {
    EXPECT_TRUE((co_await local.start()).has_value());
    EXPECT_TRUE((co_await local.register_closure("sleeper", sleeper(count))).has_value());
    for (int i = 0; i < 3; ++i) EXPECT_TRUE((co_await local.client().send(target("sleeper/x"), text("0"))).has_value());
    co_await local.stop_when_idle();
    const Result<> late = co_await local.client().send(target("sleeper/x"), text("0"));
    EXPECT_EQ(late.has_value(), false);
  }(runtime, handled));
  EXPECT_EQ(handled, 3);
}

TEST(LocalRuntime, can_go_while_a_handler_waits) {
  asio::io_context io;
  int handled = 0;
  {
    LocalRuntime runtime(io);
    run_until(io, [](LocalRuntime& local, int& count) -> Task<> {
      EXPECT_TRUE((co_await local.start()).has_value());
      EXPECT_TRUE((co_await local.register_closure("sleeper", sleeper(count))).has_value());
      EXPECT_TRUE((co_await local.client().send(target("sleeper/x"), text("1000"))).has_value());
    }(runtime, handled));
    io.poll();
  }
  io.poll();
  EXPECT_EQ(handled, 0);
}

/// Drops or refuses everything that leaves.
class Wall final : public Interceptor {
 public:
  explicit Wall(Verdict verdict) : verdict_(std::move(verdict)) {}
  Verdict on_send(Intercepted& /*message*/) override { return verdict_; }
  Verdict on_publish(Intercepted& /*message*/) override { return verdict_; }

 private:
  Verdict verdict_;
};

TEST(LocalRuntime, stops_when_idle_also_after_an_interceptor_dropped_or_refused) {
  for (const Verdict& verdict : {Verdict::drop(), Verdict::refuse({ErrorCode::budget_exceeded, "too dear"})}) {
    asio::io_context io;
    LocalRuntime runtime(io);
    runtime.add_interceptor(std::make_shared<Wall>(verdict));
    int handled = 0;
    run_until(io, [](LocalRuntime& local, int& count) -> Task<> {
      EXPECT_TRUE((co_await local.start()).has_value());
      EXPECT_TRUE((co_await local.register_closure("sleeper", sleeper(count))).has_value());
      EXPECT_FALSE((co_await local.client().send(target("sleeper/x"), text("0"))).has_value());
      EXPECT_FALSE((co_await local.client().request(target("sleeper/x"), text("0"))).has_value());
      Topic news = Topic::parse("news/x").value();
      (void)co_await local.client().publish(std::move(news), text("0"));
      co_await local.stop_when_idle();
    }(runtime, handled));
    EXPECT_EQ(handled, 0);
  }
}

}  // namespace
}  // namespace parley
