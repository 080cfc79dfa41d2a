// parley subscribe TOPIC: prints events as they come.
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/temporary_type.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace subscribe_verb {

/// Events that may wait for the terminal; then the broker feels the back-pressure.
constexpr std::size_t kMaxWaiting = 1024;

struct Settings {
  std::string topic;
  std::uint64_t count = 0;
};

struct Event {
  Topic topic;
  AgentId sender;
  Payload payload;
};
using Events = asio::experimental::channel<void(std::error_code, Event)>;

void print_event(Bus& bus, const Event& event) {
  if (bus.common.is_json) {
    bus.console.print(
        to_line({{"topic", event.topic.str()},
                 {"from", event.sender.is_empty() ? nlohmann::json(nullptr) : nlohmann::json(event.sender.str())},
                 {"type", event.payload.type},
                 {"payload", payload_to_json(event.payload)}}));
    return;
  }
  const std::string topic = bus.console.paint(Color::dim, event.topic.str());
  bus.console.print(fmt::format("{}  {}", topic, printable(payload_to_text(event.payload))));
}

Task<> print_events(Bus& bus, Events& events, std::uint64_t count) {
  for (std::uint64_t printed = 0; count == 0 || printed < count; ++printed) {
    const Event event = co_await events.async_receive(asio::use_awaitable);
    print_event(bus, event);
  }
}

/// True when `count` events came before the deadline; without a count or a --timeout it waits for ever.
Task<bool> print_until_deadline(Bus& bus, Events& events, std::uint64_t count) {
  if (count == 0 || !bus.common.timeout) {
    co_await print_events(bus, events, count);
    co_return true;
  }
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(bus.io, bus.deadline);
  const auto first = co_await (print_events(bus, events, count) || timer.async_wait(asio::use_awaitable));
  co_return first.index() == 0;
}

Task<int> subscribe(Bus& bus, const Settings& settings, TopicFilter filter) {
  const auto events = std::make_shared<Events>(bus.io, kMaxWaiting);
  const std::string type = temporary_type(Temporary::subscriber, bus.random);
  // The closure may outlive this coroutine by a message or two, so it owns the channel, too.
  Closure closure = [events](const Payload& payload, Context& context) -> Task<Result<Payload>> {
    Event event{context.topic().value_or(Topic()), context.sender(), payload};
    co_await events->async_send(std::error_code{}, std::move(event), asio::use_awaitable);
    co_return Payload{};
  };
  std::vector<TopicFilter> filters{std::move(filter)};
  const Result<> registered = co_await bus.runtime.register_closure(type, std::move(closure), std::move(filters));
  if (!registered) co_return bus.console.fail_answer(registered.error());
  bus.console.note(fmt::format("subscribed to {}", settings.topic));
  const bool is_complete = co_await print_until_deadline(bus, *events, settings.count);
  events->close();
  const Result<> unregistered = co_await bus.runtime.unregister_type(type);
  if (!unregistered) co_return bus.console.fail_answer(unregistered.error());
  if (is_complete) co_return kDone;
  co_return bus.console.fail(
      Error(ErrorCode::timeout, fmt::format("fewer than {} events came in time", settings.count)));
}

int run_subscribe(Environment& environment, const Settings& settings) {
  const Result<TopicFilter> filter = TopicFilter::parse(settings.topic);
  if (!filter) return environment.console.refuse_usage(filter.error().message);
  return run_on_bus(environment, {.purpose = "subscribe"}, [&](Bus& bus) { return subscribe(bus, settings, *filter); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("TOPIC", settings->topic, "Topic type, or a prefix with '*' at the end");
  options.number("-n,--count", settings->count, 0, 1'000'000'000'000, "Stop after so many events, 0 for never");
  return [settings](Environment& environment) { return run_subscribe(environment, *settings); };
}

}  // namespace subscribe_verb
}  // namespace

const Verb kSubscribeVerb{"subscribe", "Print the events of a topic as they come",
                          "  parley subscribe orders.created\n"
                          "  parley subscribe 'orders.*' --json | jq .payload",
                          Reach::bus, &subscribe_verb::declare};

}  // namespace parley::cli
