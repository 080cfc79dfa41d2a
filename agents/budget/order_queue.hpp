// What a process has to say to the ledger: collects orders into batches, repeats what was not answered, renews what is
// under way. All orders are idempotent by their ids, so batches may be lost, repeated and overtake each other.
// Pure: events and the time in, batches and outcomes out. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"

namespace parley::budget {

class OrderQueue {
 public:
  static constexpr std::size_t kMaxBatch = 256;
  static constexpr std::size_t kMaxInFlight = 4;
  /// One more is refused as `overloaded`.
  static constexpr std::size_t kMaxReserves = 10'000;
  /// Settlements and releases that wait; beyond it the oldest is dropped and counted. The ledger then charges what was
  /// estimated when the lease ends, so that nothing is free.
  static constexpr std::size_t kMaxReports = 100'000;
  /// A report is repeated for so long after it was first sent: well within the time for which the ledger remembers ids,
  /// so that nothing is charged twice. Later the estimate stands.
  static constexpr std::chrono::minutes kRepeatReports{30};
  static constexpr std::chrono::milliseconds kFirstPause{20};
  static constexpr std::chrono::milliseconds kLongestPause{1000};
  static constexpr std::chrono::milliseconds kReportTimeout{5000};

  struct Batch {
    std::uint64_t number = 0;
    messages::BudgetOrders orders;
    /// How long to wait for the answer.
    std::chrono::milliseconds timeout{};
  };
  /// The end of one reserve().
  struct Outcome {
    std::string id;
    Result<messages::BudgetVerdict> verdict;
  };
  /// A settlement was written down.
  struct Settled {
    TimePoint since;
  };
  struct Answered {
    std::vector<Outcome> outcomes;
    std::vector<Settled> settled;
  };

  /// Fails with `overloaded`.
  Result<> reserve(messages::BudgetReserve order, TimePoint deadline);
  /// Nobody waits for this reserve() any more.
  void withdraw(const std::string& id, TimePoint now);
  void settle(messages::BudgetSettle order, TimePoint now);
  void release(std::string id, TimePoint now);

  /// The next batch to be sent; nullopt: nothing now.
  std::optional<Batch> next(TimePoint now);
  Answered on_reply(std::uint64_t batch, messages::BudgetVerdicts verdicts, TimePoint now);
  /// Nobody knows whether the ledger has seen it. `error` is told to those whose time is over.
  std::vector<Outcome> on_failure(std::uint64_t batch, const Error& error, TimePoint now);
  /// Ends the reserves that have waited too long.
  std::vector<Outcome> expire(TimePoint now);
  /// When next() or expire() may have something to do, if nothing else happens before.
  [[nodiscard]] std::optional<TimePoint> wake_at() const;

  [[nodiscard]] std::size_t reports_waiting() const { return reports_.size() + reports_in_flight_; }
  [[nodiscard]] std::uint64_t reports_dropped() const { return reports_dropped_; }
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  [[nodiscard]] bool is_idle() const { return reports_.empty() && reserves_.empty() && in_flight_.empty(); }

 private:
  struct Reserve {
    messages::BudgetReserve order;
    TimePoint deadline;
    bool was_sent = false;
  };
  /// A settlement, or with an empty model and agent and `is_release` a release.
  struct Report {
    messages::BudgetSettle order;
    bool is_release = false;
    TimePoint since;
    std::optional<TimePoint> first_sent;
  };
  struct InFlight {
    std::vector<Reserve> reserves;
    std::vector<Report> reports;
  };

  void add_report(Report report);
  void take_reserves(Batch& batch, InFlight& flight, TimePoint now);
  void take_reports(Batch& batch, InFlight& flight, TimePoint now);
  void take_renewals(Batch& batch, TimePoint now);
  [[nodiscard]] std::optional<TimePoint> renew_at() const;
  InFlight land(std::uint64_t batch);

  std::deque<Reserve> reserves_;
  std::deque<Report> reports_;
  std::map<std::uint64_t, InFlight> in_flight_;
  /// Reserves in flight that nobody waits for.
  std::unordered_set<std::string> abandoned_;
  /// Granted, and neither settled nor released.
  std::unordered_set<std::string> open_;
  std::size_t reports_in_flight_ = 0;
  std::uint64_t reports_dropped_ = 0;
  std::uint64_t last_batch_ = 0;
  std::chrono::milliseconds lease_{0};
  TimePoint renewed_{};
  TimePoint not_before_{};
  std::chrono::milliseconds pause_ = kFirstPause;
};

}  // namespace parley::budget
