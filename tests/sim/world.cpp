#include "tests/sim/world.hpp"

#include <algorithm>

namespace parley::sim {
namespace {

constexpr std::size_t kMaxLogLines = 100'000;

std::uint64_t number(const std::vector<wire::NamedNumber>& numbers, std::string_view name) {
  const auto it = std::ranges::find(numbers, name, &wire::NamedNumber::name);
  return it == numbers.end() ? 0 : it->value;
}

}  // namespace

World::World(std::uint64_t seed, bool is_logging)
    : random_(seed),
      is_logging_(is_logging),
      scenario_(make_scenario(random_)),
      checker_(schedule_),
      broker_(*this, scenario_.broker),
      machines_(scenario_.machines.size()),
      calm_since_(schedule_.now()) {}

Duration World::between(Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

void World::log_line(std::string text) {
  if (log_.size() >= kMaxLogLines) return;
  const auto micros = schedule_.elapsed() / microseconds(1);
  log_.push_back(fmt::format("{:>6}.{:03} ms  {}", micros / 1000, micros % 1000, text));
}

bool World::run() {
  const auto is_over = [this] { return !checker_.failures().empty(); };
  broker_.start();
  for (std::size_t i = 0; i < machines_.size(); ++i) restart_later(i, between(Duration::zero(), milliseconds(50)));
  for (const PlannedFault& fault : scenario_.faults) {
    schedule_.after(fault.at, [this, fault] { inject(fault); });
  }
  schedule_.run_until(now() + scenario_.load_time, is_over);
  is_loading_ = false;
  log("load ends");
  schedule_.run_until(now() + scenario_.settle_time, is_over);
  if (schedule_.is_stuck()) checker_.fail("time stands still");
  if (!is_over()) finish();
  return !is_over();
}

void World::finish() {
  if (!broker_.is_up()) return checker_.fail("the broker is not up at the end");
  for (const auto& machine : machines_) {
    if (!machine) return checker_.fail("a machine is not up at the end");
    machine->check_end();
  }
  check_leftovers();
  check_books();
  checker_.check_end(broker_.run(), broker_.dead_letters());
}

void World::check_leftovers() {
  const auto numbers = broker_.core().numbers();
  for (const std::string_view name : {"parley_broker_inflight", "parley_broker_parked", "parley_broker_queued_bytes"}) {
    if (const std::uint64_t left = number(numbers, name); left != 0) {
      checker_.fail(fmt::format("{} is {} after everything ended", name, left));
    }
  }
  if (number(numbers, "parley_broker_sessions") != machines_.size()) {
    checker_.fail(fmt::format("{} sessions for {} machines at the end", number(numbers, "parley_broker_sessions"),
                              machines_.size()));
  }
  if (!broker_.is_idle()) checker_.fail("the broker says that it is not idle at the end");
  std::uint64_t activations = 0;
  for (const auto& machine : machines_) activations += machine->activation_count();
  if (const std::uint64_t known = number(numbers, "parley_broker_activations"); known != activations) {
    checker_.fail(fmt::format("the broker knows {} activations, the machines have {}", known, activations));
  }
}

// [P-CRD-4] [P-LIM-14] [P-LIM-15] [P-SEC-3]
void World::check_broker_bounds() {
  if (++flushes_ % 64 != 0) return;
  // The broker's own errors and session control may go beyond the cap.
  constexpr std::uint64_t kReserve = std::uint64_t{8} * 1024;
  for (const wire::PsPeer& peer : broker_.core().ps(now()).peers) {
    if (peer.queued_bytes <= scenario_.broker.max_session_queue_bytes + kReserve) continue;
    checker_.fail(fmt::format("{} bytes are queued for {}, above its bound", peer.queued_bytes, peer.name));
  }
  for (const auto& machine : machines_) {
    if (machine) machine->check_mailboxes();
  }
  check_books();
}

/// Every limit of a type and of the broker is among them.
void World::check_books() {
  for (const std::string& broken : broker_.core().broken_invariants()) checker_.fail("the broker's books: " + broken);
}

// [P-ACT-2] [P-ACT-5] [P-FAIL-7]
void World::check_single(const Checker::Starter& before, const std::string& id, Epoch epoch, const std::string& name) {
  if (before.life == 0) return;
  Machine* const other = machines_[before.machine].get();
  if (other == nullptr || other->life() != before.life || !other->is_working(id, epoch)) return;
  checker_.fail(fmt::format("{} starts a turn on {} while {} works on it, too", name, id, other->name()));
}

void World::at_machine(std::size_t machine, std::uint64_t life, TimePoint when, Action action) {
  schedule_.at(when, [this, machine, life, run = std::move(action)]() mutable {
    Machine* const process = machines_[machine].get();
    if (process != nullptr && process->life() == life) process->run(std::move(run));
  });
}

void World::restart_later(std::size_t machine, Duration delay) {
  machines_[machine].reset();
  schedule_.after(delay, [this, machine] {
    if (!machines_[machine]) machines_[machine] = std::make_unique<Machine>(*this, machine);
  });
}

void World::retire(std::size_t machine, Duration delay) {
  schedule_.after(milliseconds(1), [this, machine, delay, life = machines_[machine]->life()] {
    if (!machines_[machine] || machines_[machine]->life() != life) return;
    const ConnectionPtr connection = machines_[machine]->connection();
    restart_later(machine, delay);
    if (!connection) return;
    connection->is_closed = true;
    schedule_.after(scenario_.max_latency, [this, connection] { broker_.on_gone(connection); });
  });
}

void World::resume(std::size_t machine, std::uint64_t life) {
  if (machines_[machine] && machines_[machine]->life() == life) machines_[machine]->resume();
}

// ---- network

ConnectionPtr World::open(std::size_t machine, std::uint64_t life) {
  auto connection = std::make_shared<Connection>();
  connection->handle = ++handles_;
  connection->machine = machine;
  connection->machine_life = life;
  broker_.connect(connection);
  return connection;
}

void World::close(const ConnectionPtr& connection) {
  if (!connection || connection->is_closed) return;
  connection->is_closed = true;
  if (one_in(2)) connection->is_cut = true;  // linger 0: what was not on the wire is lost
  schedule_.after(between(scenario_.min_latency, scenario_.max_latency),
                  [this, connection] { broker_.on_gone(connection); });
}

void World::cut(const ConnectionPtr& connection, Notice notice) {
  if (!connection || connection->is_cut) return;
  note_trouble();
  connection->is_cut = true;
  if (notice == Notice::nobody) return;
  at_machine(connection->machine, connection->machine_life,
             now() + between(Duration::zero(), milliseconds(one_in(3) ? 4000 : 5)), [this, connection] {
               if (machines_[connection->machine]->connection() == connection)
                 machines_[connection->machine]->on_disconnected();
             });
}

void World::send_to_broker(const ConnectionPtr& connection, FrameBytes frame) {
  if (connection->is_cut || connection->is_closed) return;
  const TimePoint arrival =
      std::max(now() + between(scenario_.min_latency, scenario_.max_latency), connection->last_to_broker + Duration(1));
  connection->last_to_broker = arrival;
  schedule_.at(arrival, [this, connection, bytes = std::move(frame)]() mutable {
    if (!connection->is_cut) broker_.on_frame(connection, std::move(bytes));
  });
}

void World::send_to_machine(const ConnectionPtr& connection, FrameBytes frame) {
  if (connection->is_cut || connection->is_closed) return;
  const TimePoint arrival = std::max(now() + between(scenario_.min_latency, scenario_.max_latency),
                                     connection->last_to_machine + Duration(1));
  connection->last_to_machine = arrival;
  at_machine(connection->machine, connection->machine_life, arrival, [this, connection, bytes = std::move(frame)] {
    if (connection->is_cut || connection->is_closed) return;
    machines_[connection->machine]->on_frame(connection, bytes);
  });
}

// ---- faults

void World::restart_broker_later(Duration delay) {
  schedule_.after(delay, [this] {
    note_trouble();
    broker_.start();
  });
}

void World::inject(const PlannedFault& fault) {
  note_trouble(fault.lasting);
  Machine* const machine = machines_[fault.machine].get();
  switch (fault.fault) {
    case Fault::crash_machine:
      if (machine == nullptr) return;
      log("{} dies", machine->name());
      machine->die();
      cut(machine->connection(), Notice::nobody);
      if (one_in(2)) broker_.on_gone(machine->connection());
      restart_later(fault.machine, fault.lasting);
      return;
    case Fault::pause_machine:
      if (machine != nullptr) machine->pause(fault.lasting);
      return;
    case Fault::drain_machine:
      if (machine != nullptr) machine->drain(fault.lasting);
      return;
    case Fault::cut_connection:
      if (machine == nullptr) return;
      log("the connection of {} is cut", machine->name());
      cut(machine->connection(), Notice::nobody);
      return;
    case Fault::break_connection:
      if (machine == nullptr) return;
      log("the connection of {} breaks", machine->name());
      cut(machine->connection(), Notice::machine);
      return;
    case Fault::cut_off_broker:
      // Nothing of the kind happens between processes of one machine.
      if (machine == nullptr || !machine->connection() || scenario_.broker.is_gone_proof) return;
      log("the broker hears that the connection of {} is gone", machine->name());
      cut(machine->connection(), Notice::nobody);
      broker_.lose(machine->connection());
      return;
    case Fault::slow_reader:
      if (machine == nullptr || !machine->connection()) return;
      log("{} does not read for {} ms", machine->name(), fault.lasting / milliseconds(1));
      machine->connection()->is_slow = true;
      schedule_.after(fault.lasting, [connection = machine->connection()] { connection->is_slow = false; });
      return;
    case Fault::crash_broker:
      broker_.crash();
      restart_broker_later(fault.lasting);
      return;
    case Fault::pause_broker:
      broker_.pause(fault.lasting);
      return;
    case Fault::order_drain:
      if (machine != nullptr) broker_.order("drain", machine->name());
      return;
    case Fault::order_evict:
      if (machine != nullptr) broker_.order("evict", machine->any_agent());
      return;
    case Fault::shut_broker_down:
      broker_.begin_shutdown();
      schedule_.after(std::min<Duration>(fault.lasting, seconds(2)), [this] {
        note_trouble();
        broker_.crash();
        restart_broker_later(milliseconds(below(500)));
      });
      return;
  }
}

}  // namespace parley::sim
