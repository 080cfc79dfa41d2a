// What holds whatever happens, in whatever order.
#include <map>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/supervisor/policy_fixture.hpp"

namespace parley::supervisor {
namespace {

const std::vector<std::string> kNames{"broker", "a", "b", "c", "d", "e", "f"};

/// What really runs, as a driver would know it.
struct Machine {
  Bench& bench;
  std::map<std::string, bool> runs = {};
  std::map<std::string, int> starts = {};

  void perform() {
    for (const Action& action : bench.take()) {
      if (action.kind == Action::Kind::start) {
        RC_ASSERT(!runs[action.process]);
        runs[action.process] = true;
        starts[action.process]++;
      }
      if (action.kind == Action::Kind::stop || action.kind == Action::Kind::kill) RC_ASSERT(runs[action.process]);
    }
  }
  void end(const std::string& name, const ProcessEnd& end) {
    if (!runs[name]) return;
    runs[name] = false;
    bench.ends(name, end, {"type/" + name});
  }
};

/// One random event. Orders and checkups may hit any process in any state.
void step(Machine& machine) {
  Bench& bench = machine.bench;
  const auto name = *rc::gen::elementOf(kNames);
  switch (*rc::gen::inRange(0, 11)) {
    case 0:
    case 1:
      machine.end(name, *rc::gen::element(kSegfault, kKilledFromOutside, kCleanExit));
      break;
    case 2:
    case 3:
      if (machine.runs[name]) bench.ready(name);
      break;
    case 4:
      bench.sick(name, *rc::gen::arbitrary<bool>());
      break;
    case 5:
      bench.policy.on_broker(*rc::gen::arbitrary<bool>(), bench.now);
      break;
    case 6:
      (void)bench.policy.restart(name, bench.now);
      break;
    case 7:
      (void)bench.policy.drain(name, bench.now);
      break;
    case 8:
      (void)bench.policy.release(name, bench.now);
      break;
    case 9:
      bench.advance(std::chrono::milliseconds(*rc::gen::inRange(0, 100'000)));
      break;
    default:
      (void)bench.advance_to_next_tick();
  }
  machine.perform();
}

PolicyConfig any_config() {
  PolicyConfig config;
  config.strategy = *rc::gen::element(Strategy::one_for_one, Strategy::rest_for_one);
  config.max_simultaneous = *rc::gen::inRange(1U, 5U);
  return config;
}

void add_all(Machine& machine) {
  machine.bench.broker();
  for (std::size_t i = 1; i < kNames.size(); ++i) machine.bench.worker(kNames[i]);
  machine.perform();
}

RC_GTEST_PROP(PolicyProperty, nobody_is_started_twice_and_nobody_is_stopped_who_does_not_run, ()) {
  Bench bench(any_config());
  Machine machine{bench};
  add_all(machine);
  for (int i = 0; i < 200; ++i) step(machine);
}

RC_GTEST_PROP(PolicyProperty, no_more_than_the_cap_is_on_its_way_up, ()) {
  const PolicyConfig config = any_config();
  Bench bench(config);
  Machine machine{bench};
  add_all(machine);
  for (int i = 0; i < 200; ++i) {
    step(machine);
    const auto views = bench.policy.processes();
    const auto starting = std::ranges::count(views, ProcessState::starting, &ProcessView::state);
    RC_ASSERT(starting <= static_cast<std::ptrdiff_t>(config.max_simultaneous));
  }
}

RC_GTEST_PROP(PolicyProperty, the_next_tick_is_always_in_the_future_after_a_tick, ()) {
  Bench bench(any_config());
  Machine machine{bench};
  add_all(machine);
  for (int i = 0; i < 200; ++i) {
    step(machine);
    bench.advance(Duration::zero());
    machine.perform();
    if (const auto next = bench.policy.next_tick()) RC_ASSERT(*next > bench.now);
  }
}

RC_GTEST_PROP(PolicyProperty, a_crash_loop_starts_at_most_six_times_in_five_minutes, ()) {
  Bench bench;
  Machine machine{bench};
  machine.bench.worker("a");
  machine.perform();
  std::deque<TimePoint> starts{bench.now};
  for (int i = 0; i < 60; ++i) {
    const int before = machine.starts["a"];
    if (*rc::gen::arbitrary<bool>()) bench.ready("a");
    machine.end("a", kSegfault);
    machine.perform();
    if (machine.starts["a"] == before) {
      (void)bench.advance_to_next_tick();
      machine.perform();
    }
    if (machine.starts["a"] != before) starts.push_back(bench.now);
    while (bench.now - starts.front() > 5min) starts.pop_front();
    RC_ASSERT(starts.size() <= 6U);
  }
}

RC_GTEST_PROP(PolicyProperty, everything_heals_once_nothing_goes_wrong_any_more, ()) {
  Bench bench(any_config());
  Machine machine{bench};
  add_all(machine);
  for (int i = 0; i < 100; ++i) step(machine);
  bench.policy.on_broker(true, bench.now);
  for (const auto& name : kNames) (void)bench.policy.release(name, bench.now);
  const auto settle = [&](const ProcessView& process) {
    machine.perform();
    if (process.state == ProcessState::starting) bench.ready(process.name);
    if (process.state == ProcessState::stopping) machine.end(process.name, kCleanExit);
    // A drain that was under way when the trouble ended.
    if (process.state == ProcessState::stopped) (void)bench.policy.release(process.name, bench.now);
    machine.perform();
  };
  for (int i = 0; i < 100; ++i) {
    for (const ProcessView& process : bench.policy.processes()) settle(process);
    if (i % 10 == 9) (void)bench.advance_to_next_tick();
  }
  for (int i = 0; i < 10; ++i) std::ranges::for_each(bench.policy.processes(), settle);
  for (const ProcessView& process : bench.policy.processes()) RC_ASSERT(process.state == ProcessState::running);
}

RC_GTEST_PROP(PolicyProperty, stop_all_ends_everything, ()) {
  Bench bench(any_config());
  Machine machine{bench};
  add_all(machine);
  for (int i = 0; i < 100; ++i) step(machine);
  bench.policy.stop_all(bench.now);
  machine.perform();
  for (int i = 0; i < 40 && !bench.policy.is_all_stopped(); ++i) {
    for (const ProcessView& process : bench.policy.processes()) {
      if (process.state == ProcessState::stopping) machine.end(process.name, kCleanExit);
    }
    machine.perform();
  }
  RC_ASSERT(bench.policy.is_all_stopped());
  for (const auto& [name, is_running] : machine.runs) RC_ASSERT(!is_running);
}

}  // namespace
}  // namespace parley::supervisor
