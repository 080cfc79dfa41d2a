// Processes with calls, a network that loses orders and answers, processes that are killed, a ledger that is killed and
// comes back from its store: all in virtual time from a seed. Whatever happens, every call is charged exactly once, by
// what it cost or by what was reserved for it, and no limit is passed by more than the calls were underestimated.
#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>

#include "agents/budget/order_queue.hpp"
#include "libmsg/core/random.hpp"
#include "services/ledger/ledger_service.hpp"
#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::OrderQueue;
using budget::Scope;

constexpr std::uint64_t kLimit = 20'000;

/// A disk that outlives the ledger.
struct Disk {
  std::map<std::pair<std::string, std::string>, Account> accounts;
  std::map<std::string, Reservation> reservations;
  std::map<std::string, ClosedCall> closed;
};

class DiskStore final : public LedgerStore {
 public:
  explicit DiskStore(Disk& disk) : disk_(disk) {}
  Result<StoredBook> load() override {
    StoredBook book;
    for (const auto& [key, account] : disk_.accounts) book.accounts.push_back(account);
    for (const auto& [id, reservation] : disk_.reservations) book.reservations.push_back(reservation);
    return book;
  }
  Result<std::vector<ClosedCall>> find_closed(std::span<const std::string> ids) override {
    std::vector<ClosedCall> found;
    for (const std::string& id : ids) {
      if (const auto known = disk_.closed.find(id); known != disk_.closed.end()) found.push_back(known->second);
    }
    return found;
  }
  Result<> commit(const BookChanges& changes) override {
    for (const Account& account : changes.accounts) disk_.accounts[{account.limit, account.subject}] = account;
    for (const Reservation& each : changes.opened) disk_.reservations[each.id] = each;
    for (const ClosedCall& call : changes.closed) {
      disk_.reservations.erase(call.id);
      disk_.closed[call.id] = call;
    }
    return {};
  }
  Result<> forget_closed_before(WallTime) override { return {}; }

 private:
  Disk& disk_;
};

struct SimCall {
  std::string id;
  std::uint64_t reserved = 0;
  std::uint64_t real = 0;
  TimePoint ends;
};

/// A worker process: its queue to the ledger, and the calls that it makes.
struct Process {
  OrderQueue queue;
  std::vector<SimCall> wanted;
  std::vector<SimCall> running;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed), processes_(4) {
    config_.limits = {limit("all", Scope::all, "", kLimit)};
    config_.lease = std::chrono::milliseconds(3000);
    start_ledger();
  }

  void run() {
    for (int step = 0; step < 4000; step++) {
      if (step < 2000) disturb();
      clock_.advance(std::chrono::milliseconds(20));
      if (ledger_ && step % 10 == 0) {
        ASSERT_TRUE(ledger_->tick());
      }
      if (!ledger_ && clock_.now() >= back_at_) start_ledger();
      for (std::size_t i = 0; i < processes_.size(); ++i) drive(i);
      deliver();
      if (ledger_) check_bound();
    }
    // Nobody is disturbed any more: everything has been told, or its lease has ended.
    if (!ledger_) start_ledger();
    clock_.advance(config_.lease);
    ASSERT_TRUE(ledger_->tick());
    check_end();
  }

  std::size_t calls() const { return charged_.size(); }

 private:
  /// On its way to the ledger, or back.
  struct Packet {
    TimePoint at;
    std::size_t process;
    std::uint64_t generation;
    OrderQueue::Batch batch;
    std::optional<messages::BudgetVerdicts> answer;
  };

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }

  void start_ledger() {
    ledger_.reset();
    auto made = LedgerService::make(config_, prices(), std::make_unique<DiskStore>(disk_), clock_);
    ASSERT_TRUE(made);
    ledger_ = std::move(*made);
  }

  void disturb() {
    if (chance(6)) begin(random_.below(processes_.size()));
    if (chance(300)) kill(random_.below(processes_.size()));
    if (chance(400)) {
      ledger_.reset();
      back_at_ = clock_.now() + std::chrono::milliseconds(random_.below(2000));
    }
  }

  void begin(std::size_t process) {
    SimCall call{"call" + std::to_string(next_call_++), 1 + random_.below(400), random_.below(500), {}};
    messages::BudgetReserve order;
    order.id = call.id;
    order.agent = "hr/alice";
    order.model = "gpt";
    order.max_input_tokens = call.reserved - 1;
    order.max_output_tokens = 1;
    if (!processes_[process].queue.reserve(order, clock_.now() + std::chrono::milliseconds(2000))) return;
    processes_[process].wanted.push_back(call);
  }

  /// kill -9: what it had to say is never said.
  void kill(std::size_t process) {
    for (const SimCall& call : processes_[process].running) charged_[call.id] = {call.reserved, call.reserved, process};
    // Ends that it has not told any more are charged as they were reserved.
    for (auto& [id, charge] : charged_) charge.may_be_untold = charge.may_be_untold || charge.process == process;
    // Granted perhaps, and nobody knows: then it is charged as it was reserved.
    for (const SimCall& call : processes_[process].wanted) unknown_[call.id] = call.reserved;
    processes_[process] = Process();
    generations_[process]++;
  }

  void drive(std::size_t index) {
    Process& process = processes_[index];
    const TimePoint now = clock_.now();
    std::erase_if(process.running, [&](const SimCall& call) {
      if (call.ends > now) return false;
      messages::BudgetSettle settle;
      settle.id = call.id;
      settle.agent = "hr/alice";
      settle.model = "gpt";
      settle.usage.input_tokens = call.real;
      process.queue.settle(settle, now);
      charged_[call.id] = {call.real, call.reserved, index};
      return true;
    });
    take(process, process.queue.expire(now));
    while (auto batch = process.queue.next(now)) {
      const TimePoint at = now + std::chrono::milliseconds(1 + random_.below(100));
      packets_.push_back({at, index, generations_[index], std::move(*batch), std::nullopt});
    }
  }

  void take(Process& process, const std::vector<OrderQueue::Outcome>& outcomes) {
    for (const OrderQueue::Outcome& outcome : outcomes) {
      const auto call = std::ranges::find(process.wanted, outcome.id, &SimCall::id);
      ASSERT_NE(call, process.wanted.end()) << "one outcome for each call";
      if (outcome.verdict && outcome.verdict->is_granted) {
        call->ends = clock_.now() + std::chrono::milliseconds(random_.below(8000));
        process.running.push_back(*call);
      }
      process.wanted.erase(call);
    }
  }

  /// A call gives up waiting, or the network fails, as they like.
  void deliver() {
    std::vector<Packet> due;
    std::erase_if(packets_, [&](Packet& packet) {
      if (packet.at > clock_.now()) return false;
      due.push_back(std::move(packet));
      return true;
    });
    for (Packet& packet : due) {
      if (packet.answer) {
        arrive(packet);
      } else if (!ledger_ || chance(15)) {
        fail(packet);
      } else if (auto answer = ledger_->take(packet.batch.orders)) {
        if (chance(30)) {  // The ledger has it twice.
          ASSERT_TRUE(ledger_->take(packet.batch.orders));
        }
        if (chance(15)) {
          fail(packet);
          continue;
        }
        packet.answer = std::move(*answer);
        packet.at = clock_.now() + std::chrono::milliseconds(1 + random_.below(100));
        packets_.push_back(std::move(packet));
      }
    }
  }
  [[nodiscard]] bool is_of_a_living(const Packet& packet) { return generations_[packet.process] == packet.generation; }
  void arrive(Packet& packet) {
    if (!is_of_a_living(packet)) return;
    Process& process = processes_[packet.process];
    take(process, process.queue.on_reply(packet.batch.number, std::move(*packet.answer), clock_.now()).outcomes);
  }
  void fail(const Packet& packet) {
    if (!is_of_a_living(packet)) return;
    Process& process = processes_[packet.process];
    const Error lost(ErrorCode::timeout, "lost");
    take(process, process.queue.on_failure(packet.batch.number, lost, clock_.now()));
  }

  messages::BudgetRow row() { return ledger_->list({"all", 0})->rows.at(0); }

  void check_bound() {
    std::uint64_t excess = 0;
    for (const auto& [id, charge] : charged_)
      excess += charge.real > charge.reserved ? charge.real - charge.reserved : 0;
    ASSERT_LE(row().spent_tokens + row().reserved_tokens, kLimit + excess);
  }

  void check_end() {
    EXPECT_EQ(row().reserved_tokens, 0U);
    // Exactly: each call by itself.
    std::uint64_t sum = 0;
    for (const auto& [id, call] : disk_.closed) {
      sum += call.charged.tokens;
      const auto charge = charged_.find(id);
      if (charge == charged_.end()) {
        const auto reserved = unknown_.find(id);
        EXPECT_LE(call.charged.tokens, reserved == unknown_.end() ? 0 : reserved->second) << id << " was not made";
      } else if (!charge->second.may_be_untold || call.charged.tokens != charge->second.reserved) {
        EXPECT_EQ(call.charged.tokens, charge->second.real) << id;
      }
    }
    EXPECT_EQ(row().spent_tokens, sum);
    for (const auto& [id, charge] : charged_) EXPECT_TRUE(disk_.closed.contains(id)) << id << " was never charged";
  }

  struct Charge {
    std::uint64_t real = 0;
    std::uint64_t reserved = 0;
    std::size_t process = 0;
    bool may_be_untold = false;
  };

  SeededRandom random_;
  ManualClock clock_;
  budget::BudgetsConfig config_ = BookBench::worst_case();
  Disk disk_;
  std::unique_ptr<LedgerService> ledger_;
  TimePoint back_at_{};
  std::vector<Process> processes_;
  std::map<std::size_t, std::uint64_t> generations_;
  std::deque<Packet> packets_;
  int next_call_ = 0;
  /// What each call that was made has to be charged.
  std::map<std::string, Charge> charged_;
  /// Reserved by a process that was killed before it knew.
  std::map<std::string, std::uint64_t> unknown_;
};

TEST(LedgerSimulation, charges_every_call_exactly_once_through_kills_and_lost_messages) {
  std::size_t calls = 0;
  for (std::uint64_t seed = 1; seed <= 40; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run();
    calls += simulation.calls();
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(calls, 1000U) << "or it has tested nothing";
}

}  // namespace
}  // namespace parley::ledger
