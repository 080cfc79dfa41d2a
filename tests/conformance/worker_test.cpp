// What only the distributed runtime can suffer: a lost worker, a lost broker.
#include <asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>

#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

class Worker : public ::testing::Test {
 protected:
  void run(std::function<Task<>()> script) { run_until(bus_.io, whole(std::move(script))); }

  Task<> pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(bus_.io, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }
  Task<bool> eventually(std::function<bool()> condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) co_return true;
      co_await pause(5ms);
    }
    co_return false;
  }
  Task<> host(Runtime& runtime, std::string type) {
    const Closure sleeper = on_ask([this](const Ask& message, Context& context) -> Task<Result<Payload>> {
      started_++;
      if (message.text == "sleep") (void)co_await context.sleep(60s);
      co_return Payload{};
    });
    EXPECT_EQ(code_of(co_await runtime.register_closure(std::move(type), sleeper)), "ok");
  }

  WorkerBus bus_;
  int started_ = 0;

 private:
  Task<> whole(std::function<Task<>()> script) {
    EXPECT_EQ(code_of(co_await bus_.runtime().start(10s)), "ok");
    EXPECT_EQ(code_of(co_await bus_.other().start(10s)), "ok");
    co_await script();
    if (bus_.has_other()) co_await bus_.other().stop(0ms);
    co_await bus_.runtime().stop(0ms);
  }
};

TEST_F(Worker, lost_in_the_middle_of_a_request_is_worker_lost) {
  run([this]() -> Task<> {
    co_await host(bus_.other(), "sleeper");
    const auto lose_soon = [this]() -> Task<> {
      co_await eventually([this] { return started_ == 1; });
      bus_.lose_other();
    };
    const auto reply = co_await (bus_.runtime().client().request(target("sleeper/x"), asked("sleep")) && lose_soon());
    EXPECT_EQ(code_of(reply), "worker_lost");
  });
}

TEST_F(Worker, request_to_a_type_whose_only_worker_is_gone_waits_until_its_deadline) {
  run([this]() -> Task<> {
    co_await host(bus_.other(), "sleeper");
    bus_.lose_other();
    co_await pause(50ms);
    EXPECT_EQ(code_of(co_await bus_.runtime().client().request(target("sleeper/x"), asked(""), within(100ms))),
              "timeout");
  });
}

TEST_F(Worker, request_under_way_ends_when_the_broker_dies_and_the_next_one_succeeds) {
  run([this]() -> Task<> {
    co_await host(bus_.other(), "sleeper");
    const auto restart_soon = [this]() -> Task<> {
      co_await eventually([this] { return started_ == 1; });
      bus_.restart_broker();
    };
    const auto lost =
        co_await (bus_.runtime().client().request(target("sleeper/x"), asked("sleep"), within(20s)) && restart_soon());
    EXPECT_EQ(code_of(lost), "broker_lost");
    EXPECT_TRUE(co_await eventually([this] { return bus_.runtime().is_connected() && bus_.other().is_connected(); }));
    EXPECT_EQ(code_of(co_await bus_.runtime().client().request(target("sleeper/y"), asked(""), within(20s))), "ok");
  });
}

}  // namespace
}  // namespace parley::conformance
