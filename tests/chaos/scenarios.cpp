#include "tests/chaos/scenarios.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <csignal>
#include <spdlog/fmt/fmt.h>

#include "libmsg/messages/text.hpp"
#include "tests/chaos/fleet.hpp"
#include "tests/chaos/load.hpp"
#include "tests/chaos/worker.hpp"

namespace parley::chaos {
namespace {

using namespace std::chrono_literals;

constexpr int kCallers = 16;
constexpr std::chrono::seconds kPatience{20};

std::string examples_of(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [code, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, code);
  return text;
}

void promise_load(ScenarioReport& report, const LoadNumbers& numbers) {
  report.promises.push_back(promise(fmt::format("{} requests, each with exactly one outcome", numbers.requests),
                                    numbers.open == 0 && numbers.requests == numbers.answered + numbers.failed,
                                    fmt::format("{} answered, {} repeated by their callers ({})", numbers.answered,
                                                numbers.repeated, examples_of(numbers.losses))));
  report.promises.push_back(
      promise_none("requests that failed within their 10 s", numbers.failed, examples_of(numbers.failures)));
  report.promises.push_back(promise_none("requests without any outcome", numbers.open));
  report.promises.push_back(promise_none("answers that belong to another request", numbers.wrong));
  report.promises.push_back(promise_none("outcomes more than 1 s after the deadline", numbers.late));
}

/// For scenarios that kill more often in a minute than a real fleet in a week.
supervisor::PolicyConfig patient_policy() {
  supervisor::PolicyConfig policy;
  policy.max_crashes = 1000;
  policy.healthy_reset = 100ms;
  return policy;
}
constexpr const char* kPatientSettings =
    "no quarantine, backoff reset after 100 ms in good health (the kills come from outside)";

ScenarioReport could_not_open(ScenarioReport report, const Error& error) {
  report.promises.push_back(promise("the suite starts", false, error.message));
  return report;
}

/// Kills `process` again and again under load and measures how long nobody is served.
Task<ScenarioReport> kill_again_and_again(Arena& arena, ScenarioReport report, std::string process, int times,
                                          Duration limit) {
  report.settings = kPatientSettings;
  Fleet fleet(arena.io, arena.clock, arena.options.program_folder);
  FleetOptions options{patient_policy(), {}, {{kEchoType, {}}}};
  if (const Result<> opened = co_await fleet.open(std::move(options)); !opened) {
    co_await fleet.close();
    co_return could_not_open(std::move(report), opened.error());
  }
  Load load(arena.io, arena.clock, fleet.client(), kEchoType);
  load.start(kCallers);
  co_await pause(arena.io, 500ms);
  Samples served;
  std::uint64_t lost = 0;
  for (int i = 0; i < times; ++i) {
    const pid_t before = fleet.pid_of(process);
    const TimePoint moment = arena.clock.now();
    lost += fleet.signal(process, SIGKILL) ? 0U : 1U;
    load.mark(moment);
    const auto time = co_await load.time_to_answer(kPatience);
    time ? served.add(*time) : served.add(kPatience);
    lost += (co_await fleet.time_to_replace(process, before, kPatience)).has_value() ? 0U : 1U;
    co_await pause(arena.io, 300ms);
  }
  co_await load.stop();
  co_await fleet.close();
  report.promises.push_back(promise_none("kills that did not hit, or were not healed", lost));
  report.promises.push_back(promise_time("from the kill to the next answer", served, 95, limit));
  promise_load(report, load.numbers());
  co_return report;
}

Task<ScenarioReport> agent_killed(Arena& arena) {
  const int times = arena.times(50, 5);
  ScenarioReport report{
      "agent_killed", fmt::format("kill -9 of the only worker of a type, {} times, under load", times), "", {}, {}};
  return kill_again_and_again(arena, std::move(report), kEchoType, times, 1s);
}

Task<ScenarioReport> broker_killed(Arena& arena) {
  const int times = arena.times(20, 3);
  ScenarioReport report{"broker_killed", fmt::format("kill -9 of the broker, {} times, under load", times), "", {}, {}};
  return kill_again_and_again(arena, std::move(report), "broker", times, 2s);
}

Task<ScenarioReport> agent_stopped(Arena& arena) {
  const int times = arena.times(5, 1);
  ScenarioReport report{"agent_stopped",
                        fmt::format("SIGSTOP of the only worker of a type, {} times, at the default heartbeat", times),
                        "",
                        {},
                        {}};
  Fleet fleet(arena.io, arena.clock, arena.options.program_folder);
  FleetOptions options{supervisor::PolicyConfig{}, {}, {{kEchoType, {}}}};
  if (times > 1) {
    options.policy = patient_policy();
    report.settings = kPatientSettings;
  }
  if (const Result<> opened = co_await fleet.open(std::move(options)); !opened) {
    co_await fleet.close();
    co_return could_not_open(std::move(report), opened.error());
  }
  Load load(arena.io, arena.clock, fleet.client(), kEchoType);
  load.start(kCallers);
  Samples healed;
  for (int i = 0; i < times; ++i) {
    co_await pause(arena.io, 2s);
    const TimePoint moment = arena.clock.now();
    (void)fleet.signal(kEchoType, SIGSTOP);
    load.mark(moment);
    const auto time = co_await load.time_to_answer(kPatience);
    time ? healed.add(*time) : healed.add(kPatience);
  }
  co_await load.stop();
  co_await fleet.close();
  report.promises.push_back(promise_time("from SIGSTOP to the next answer", healed, 100, 5s));
  promise_load(report, load.numbers());
  co_return report;
}

/// Asks `id` to misbehave; returns how the request ended.
Task<std::string> provoke(Client& client, std::string id, std::string text, std::chrono::milliseconds timeout) {
  const Target target = *Target::parse(id);
  const messages::Text message{std::move(text), ""};
  CallOptions options;
  options.timeout = timeout;
  const auto answer = co_await client.request<messages::Text>(target, message, options);
  co_return answer ? "ok" : to_string(answer.error().code);
}

Task<> provoke_and_forget(Client& client, std::string id, std::string text) {
  (void)co_await provoke(client, std::move(id), std::move(text), 3s);
}

Task<ScenarioReport> handler_stuck(Arena& arena) {
  ScenarioReport report{"handler_stuck",
                        "a handler that spins, and one that never returns, beside well-behaved callers",
                        "a handler may be without progress for 2 s (default 5 min)",
                        {},
                        {}};
  Fleet fleet(arena.io, arena.clock, arena.options.program_folder);
  FleetOptions options{supervisor::PolicyConfig{}, {}, {{kEchoType, {"--progress", "2000"}}}};
  if (const Result<> opened = co_await fleet.open(std::move(options)); !opened) {
    co_await fleet.close();
    co_return could_not_open(std::move(report), opened.error());
  }
  Load load(arena.io, arena.clock, fleet.client(), kEchoType);
  load.start(kCallers);
  for (const std::string text : {"spin", "hang"}) {
    co_await pause(arena.io, 1s);
    const pid_t before = fleet.pid_of(kEchoType);
    Samples replaced;
    asio::co_spawn(arena.io, provoke_and_forget(fleet.client(), "echo/stuck-" + text, text), asio::detached);
    const auto time = co_await fleet.time_to_replace(kEchoType, before, kPatience);
    replaced.add(time.value_or(kPatience));
    report.promises.push_back(promise_time("from '" + text + "' to the worker's replacement", replaced, 100, 6s));
  }
  co_await pause(arena.io, 1s);
  co_await load.stop();
  co_await fleet.close();
  promise_load(report, load.numbers());
  co_return report;
}

Task<ScenarioReport> poison(Arena& arena) {
  ScenarioReport report{"poison", "messages for one agent id abort the worker", "", {}, {}};
  Fleet fleet(arena.io, arena.clock, arena.options.program_folder);
  FleetOptions options{supervisor::PolicyConfig{}, {}, {{kEchoType, {}}}};
  if (const Result<> opened = co_await fleet.open(std::move(options)); !opened) {
    co_await fleet.close();
    co_return could_not_open(std::move(report), opened.error());
  }
  std::string outcome;
  int crashes = 0;
  for (; crashes < 5 && outcome != "quarantined"; ++crashes) {
    outcome = co_await provoke(fleet.client(), "echo/poison", "crash", 8s);
    // The verdict takes a look at the broker's `ps`.
    if (outcome == "worker_lost") co_await pause(arena.io, 1500ms);
  }
  crashes -= outcome == "quarantined" ? 1 : 0;
  const std::string neighbour = co_await provoke(fleet.client(), "echo/neighbour", "hello", 5s);
  const auto record = fleet.record_of(kEchoType);
  const bool runs = record && record->view.state == supervisor::ProcessState::running;
  co_await fleet.close();
  report.promises.push_back(promise("the agent id is quarantined after 2 crashes",
                                    outcome == "quarantined" && crashes == 2,
                                    fmt::format("{} crashes, then {}", crashes, outcome)));
  report.promises.push_back(promise("its worker runs, and serves others", runs && neighbour == "ok", neighbour));
  co_return report;
}

Task<ScenarioReport> crash_loop(Arena& arena) {
  ScenarioReport report{"crash_loop", "a worker that crashes at every start, beside one that works", "", {}, {}};
  Fleet fleet(arena.io, arena.clock, arena.options.program_folder);
  FleetOptions options{supervisor::PolicyConfig{}, {}, {{kEchoType, {}}, {"crasher", {"--crash"}}}};
  if (const Result<> opened = co_await fleet.open(std::move(options)); !opened) {
    co_await fleet.close();
    co_return could_not_open(std::move(report), opened.error());
  }
  Load load(arena.io, arena.clock, fleet.client(), kEchoType);
  load.start(kCallers);
  const TimePoint start = arena.clock.now();
  std::optional<supervisor::ProcessRecord> record;
  do {
    co_await pause(arena.io, 50ms);
    record = fleet.record_of("crasher");
  } while ((!record || record->view.state != supervisor::ProcessState::quarantined) &&
           arena.clock.now() - start < kPatience);
  co_await pause(arena.io, 1s);
  record = fleet.record_of("crasher");
  const bool is_quarantined = record && record->view.state == supervisor::ProcessState::quarantined;
  const auto echo = fleet.record_of(kEchoType);
  co_await load.stop();
  co_await fleet.close();
  report.promises.push_back(promise("it is quarantined", is_quarantined, is_quarantined ? record->view.reason : "no"));
  const std::uint64_t restarts = record ? record->view.restarts : 0;
  report.promises.push_back(promise("after more than 5 failures", restarts == 5, fmt::format("{} restarts", restarts)));
  const std::uint64_t others = echo ? echo->view.restarts : 1;
  report.promises.push_back(promise_none("restarts of the other worker", others));
  report.promises.push_back(promise_none("attempts of its callers that had to be repeated", load.numbers().repeated));
  promise_load(report, load.numbers());
  co_return report;
}

}  // namespace

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> kScenarios{{"agent_killed", &agent_killed},   {"agent_stopped", &agent_stopped},
                                                {"handler_stuck", &handler_stuck}, {"poison", &poison},
                                                {"crash_loop", &crash_loop},       {"broker_killed", &broker_killed}};
  return kScenarios;
}

}  // namespace parley::chaos
