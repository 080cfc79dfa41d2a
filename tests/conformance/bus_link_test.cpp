// The supervisor's line to a real broker.
#include "services/supervisor/bus_link.hpp"

#include <asio/io_context.hpp>
#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <utility>

#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/agent.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "tests/conformance/broker_thread.hpp"
#include "tests/support/run_task.hpp"

namespace parley::supervisor {
namespace {

/// How often each event has arrived.
Closure counting(std::map<std::uint64_t, int>& arrived) {
  return [&arrived](const Payload& message, Context& /*context*/) -> Task<Result<Payload>> {
    if (const auto event = from_payload<messages::FleetEvent>(message)) arrived[event->restarts]++;
    co_return Payload{};
  };
}

TEST(BusLink, tells_every_event_once_when_it_stops_while_it_tells_them) {
  constexpr std::uint64_t kEvents = 5;
  asio::io_context io;
  SystemClock clock;
  conformance::BrokerThread broker;
  std::map<std::uint64_t, int> arrived;
  WorkerRuntimeOptions options;
  options.brokers = {broker.endpoint()};
  const auto listener = make_worker_runtime(io, std::move(options)).value();
  const auto topics = TopicFilter::parse("sys.events").value();
  ASSERT_TRUE(test::run_task(io, listener->register_closure("listener", counting(arrived), {topics})));
  ASSERT_TRUE(test::run_task(io, listener->start()));

  bool is_stopped = false;
  std::unique_ptr<BusLink> link;
  BusEvents events;
  events.on_broker = [](bool) {};
  // Called just before the link tells what waits.
  events.on_ps = [&, is_first = true](const wire::PsReport&) mutable {
    if (!std::exchange(is_first, false)) return;
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
      messages::FleetEvent event;
      event.event = "agent_ready";
      event.restarts = i;
      link->publish(event);
    }
    link->stop([&is_stopped] { is_stopped = true; });
  };
  link = BusLink::make(io, clock, {"test", broker.endpoint()}, std::move(events)).value();
  link->start();
  test::run_until(io, [&] { return is_stopped && arrived.size() == kEvents; });
  for (const auto& [number, times] : arrived) EXPECT_EQ(times, 1) << number;
}

}  // namespace
}  // namespace parley::supervisor
