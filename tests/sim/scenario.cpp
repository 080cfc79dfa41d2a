#include "tests/sim/scenario.hpp"

#include <algorithm>

namespace parley::sim {
namespace {

Duration between(Random& random, Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

bool one_in(Random& random, std::uint64_t n) { return random.below(n) == 0; }

MachinePlan make_machine(Random& random, std::size_t number, bool is_worker, const Scenario& scenario, bool is_tight) {
  MachinePlan plan;
  plan.name = (is_worker ? "worker" : "client") + std::to_string(number);
  plan.credit_bytes = is_tight && one_in(random, 2) ? 600 + random.below(4000) : std::uint64_t{1} << 20U;
  plan.inbox_delay = one_in(random, 2) ? Duration::zero() : between(random, microseconds(10), milliseconds(5));
  plan.bursts = is_worker ? 4 + random.below(8) : 12 + random.below(20);
  plan.idle_timeout = one_in(random, 2) ? between(random, milliseconds(5), milliseconds(300)) : Duration::zero();
  plan.max_mailbox = is_tight ? 2 + static_cast<std::uint32_t>(random.below(8)) : 1024;
  if (!is_worker) return plan;
  for (const std::string& type : scenario.types) {
    if (!plan.types.empty() && one_in(random, 2)) continue;
    HostedType hosted{type, static_cast<std::uint16_t>(plan.types.size()), {}, 1, false};
    hosted.is_reentrant = std::ranges::find(scenario.reentrant_types, type) != scenario.reentrant_types.end();
    if (one_in(random, 2)) hosted.capabilities.emplace_back("skill");
    hosted.capacity = 1 + static_cast<std::uint32_t>(random.below(3));
    plan.types.push_back(std::move(hosted));
  }
  plan.changes_types = one_in(random, 3);
  return plan;
}

}  // namespace

Scenario make_scenario(Random& random) {
  Scenario scenario;
  const bool is_tight = one_in(random, 4);
  scenario.broker.one_way_ttl = seconds(3);
  scenario.broker.is_gone_proof = one_in(random, 2);
  scenario.broker.type_memory = one_in(random, 4) ? milliseconds(1500) : milliseconds(600'000);
  if (is_tight) {
    scenario.broker.max_session_queue_bytes = 2000 + random.below(20'000);
    scenario.broker.max_parked_per_type = 3 + static_cast<std::uint32_t>(random.below(20));
    scenario.broker.max_parked_bytes_per_type = 2000 + random.below(5000);
    scenario.broker.max_inflight_per_session = 3 + static_cast<std::uint32_t>(random.below(40));
    scenario.max_padding = random.below(2000);
  }
  const std::size_t types = 1 + random.below(3);
  for (std::size_t i = 0; i < types; ++i) {
    scenario.types.push_back("type" + std::to_string(i));
    if (one_in(random, 3)) scenario.reentrant_types.push_back(scenario.types.back());
  }
  scenario.keys_per_type = 1 + random.below(4);
  const std::size_t workers = 2 + random.below(3);
  const std::size_t clients = 1 + random.below(3);
  for (std::size_t i = 0; i < workers + clients; ++i) {
    scenario.machines.push_back(make_machine(random, i, i < workers, scenario, is_tight));
  }
  scenario.load_time = between(random, milliseconds(500), milliseconds(6000));
  scenario.settle_time = seconds(12);
  scenario.min_latency = between(random, microseconds(20), microseconds(500));
  scenario.max_latency =
      scenario.min_latency + between(random, microseconds(100), milliseconds(one_in(random, 5) ? 60 : 3));
  const std::uint64_t faults = one_in(random, 8) ? 0 : 1 + random.below(6);
  for (std::uint64_t i = 0; i < faults; ++i) {
    scenario.faults.push_back({static_cast<Fault>(random.below(kFaultKinds)),
                               between(random, milliseconds(1), scenario.load_time),
                               random.below(scenario.machines.size()),
                               one_in(random, 2) ? between(random, milliseconds(1), milliseconds(400))
                                                 : between(random, milliseconds(400), milliseconds(5000))});
  }
  return scenario;
}

}  // namespace parley::sim
