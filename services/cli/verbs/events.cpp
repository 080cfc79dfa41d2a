// parley events: what supervisors have done and seen.
#include <algorithm>
#include <asio/experimental/channel.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>
#include <vector>

#include "libmsg/messages/supervisor.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/temporary_type.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace events_verb {

/// A supervisor joins the bus a moment after its processes, or after its broker is back: so long it is asked again.
constexpr std::chrono::milliseconds kJoinTime{2000};
constexpr std::chrono::milliseconds kAskAgain{100};
/// Events that may wait for the terminal; then the broker feels the back-pressure.
constexpr std::size_t kMaxWaiting = 1024;

/// What a supervisor remembers.
constexpr std::uint32_t kMostEvents = 256;

struct Settings {
  std::string node = "local";
  bool does_follow = false;
  std::uint64_t count = 50;
};

using Events = asio::experimental::channel<void(std::error_code, messages::FleetEvent)>;

Color color_of(const std::string& event) {
  if (event == "quarantined" || event == "agent_crashed" || event == "agent_killed") return Color::red;
  if (event == "agent_unhealthy" || event == "broker_away") return Color::yellow;
  return Color::green;
}

void print_event(Bus& bus, const messages::FleetEvent& event) {
  if (bus.common.is_json) {
    bus.console.print(to_line({{"at_ms", event.at_ms},
                               {"event", event.event},
                               {"node", event.node},
                               {"process", event.process},
                               {"agent", event.agent},
                               {"reason", event.reason},
                               {"restarts", event.restarts},
                               {"last_lines", event.last_lines}}));
    return;
  }
  const auto at = static_cast<std::time_t>(event.at_ms / 1000);
  const std::string& subject = event.agent.empty() ? event.process : event.agent;
  bus.console.print(fmt::format("{:%H:%M:%S}  {}  {}{}{}", fmt::localtime(at),
                                bus.console.paint(color_of(event.event), fmt::format("{:<15}", event.event)),
                                printable(subject), event.reason.empty() ? "" : ": ", printable(event.reason)));
  for (const std::string& line : event.last_lines) {
    bus.console.print(bus.console.paint(Color::dim, "          | " + printable(line)));
  }
}

/// The latest events that the node's supervisor remembers, oldest first.
Task<Result<std::vector<messages::FleetEvent>>> recent_events(Bus& bus, const Settings& settings, std::uint32_t count) {
  const Result<AgentId> supervisor = AgentId::make(messages::kSupervisorType, settings.node);
  if (!supervisor) co_return fail(supervisor.error());
  messages::SupervisorList list;
  list.events = count;
  CallOptions options;
  options.timeout = std::min(bus.time_left(), std::chrono::milliseconds(5000));
  const TimePoint until = std::min<TimePoint>(bus.clock.now() + kJoinTime, bus.deadline);
  auto report = co_await bus.client.request<messages::SupervisorReport>(*supervisor, list, options);
  asio::steady_timer timer(bus.io);
  while (!report && report.error().code == ErrorCode::unknown_agent_type && bus.clock.now() < until) {
    timer.expires_after(kAskAgain);
    co_await timer.async_wait(asio::use_awaitable);
    report = co_await bus.client.request<messages::SupervisorReport>(*supervisor, list, options);
  }
  if (!report) co_return fail(report.error());
  co_return std::move(report->events);
}

void print_last(Bus& bus, const std::vector<messages::FleetEvent>& events, std::size_t count) {
  for (const messages::FleetEvent& event : std::span(events).last(std::min(count, events.size()))) {
    print_event(bus, event);
  }
}

Task<int> follow(Bus& bus, const Settings& settings) {
  const auto events = std::make_shared<Events>(bus.io, kMaxWaiting);
  // The closure may outlive this coroutine by a message or two, so it owns the channel, too.
  Closure closure = [events](const Payload& payload, Context&) -> Task<Result<Payload>> {
    Result<messages::FleetEvent> event = from_payload<messages::FleetEvent>(payload);
    if (!event) co_return fail(event.error());
    co_await events->async_send(std::error_code{}, std::move(*event), asio::use_awaitable);
    co_return Payload{};
  };
  std::vector<TopicFilter> filters{{std::string(messages::kEventsTopic), false}};
  const std::string type = temporary_type(Temporary::events, bus.random);
  const Result<> registered = co_await bus.runtime.register_closure(type, std::move(closure), std::move(filters));
  if (!registered) co_return bus.console.fail_answer(registered.error());
  // A supervisor may be away just now; its events come when it is back.
  const auto past = co_await recent_events(bus, settings, kMostEvents);
  if (!past) bus.console.note(fmt::format("no supervisor answers ({}); waiting for events", past.error().message));
  const std::vector<messages::FleetEvent> known = past.value_or(std::vector<messages::FleetEvent>());
  print_last(bus, known, settings.count);
  for (;;) {
    const messages::FleetEvent event = co_await events->async_receive(asio::use_awaitable);
    // One of the past may come anew, when it was under way while the supervisor was asked.
    if (std::ranges::find(known, event) == known.end()) print_event(bus, event);
  }
}

Task<int> show_events(Bus& bus, const Settings& settings) {
  if (settings.does_follow) co_return co_await follow(bus, settings);
  const auto count = static_cast<std::uint32_t>(settings.count);
  const auto recent = co_await recent_events(bus, settings, count);
  if (!recent) co_return bus.console.fail_answer(recent.error());
  print_last(bus, *recent, settings.count);
  co_return kDone;
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.flag("-f,--follow", settings->does_follow, "Go on with events as they come");
  options.number("-n,--count", settings->count, 0, kMostEvents,
                 "How many of the latest events; 0: with --follow, only new ones");
  options.option("--node", settings->node, "NAME", "Whose latest events (default: local)");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "events"}, [settings](Bus& bus) { return show_events(bus, *settings); });
  };
}

}  // namespace events_verb
}  // namespace

const Verb kEventsVerb{"events", "Show crashes, restarts and quarantines",
                       "  parley events\n"
                       "  parley events --follow --json | jq .event",
                       Reach::bus, &events_verb::declare};

}  // namespace parley::cli
