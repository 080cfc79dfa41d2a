// The ledger's mind: who may spend how much. Orders and the time go in, verdicts and changes to be stored come out; it
// opens nothing and reads no clock. README.md §Rules says what it promises. Pure. One thread.
//
// A reservation holds its estimate on every account of its payer until it ends in one of three ways: settled (charged
// as it was), released (nothing charged) or expired (charged as it was estimated, and corrected should the truth
// arrive).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/budget/budgets_config.hpp"
#include "libmsg/messages/budget.hpp"
#include "services/ledger/accounts.hpp"
#include "services/ledger/estimator.hpp"
#include "services/ledger/pricing.hpp"
#include "services/ledger/records.hpp"

namespace parley::ledger {

struct BookLimits {
  std::size_t max_reservations = 100'000;
  std::size_t max_accounts = 100'000;
};

/// What has happened since the start, for the metrics.
struct BookCounts {
  std::uint64_t granted = 0;
  std::uint64_t settled = 0;
  std::uint64_t released = 0;
  std::uint64_t expired = 0;
  std::uint64_t corrected = 0;   ///< expired, and settled or released afterwards
  std::uint64_t repeated = 0;    ///< settlements and releases of calls that had ended already
  std::uint64_t unreserved = 0;  ///< settlements without a reservation
  std::uint64_t unpriced_tokens = 0;
  std::uint64_t charged_nano_usd = 0;    ///< of settled calls
  std::uint64_t estimated_nano_usd = 0;  ///< of expired calls
};

class Book {
 public:
  Book(const budget::BudgetsConfig& config, PriceTable prices, BookLimits limits, Now now);

  /// Once, before anything else. The reservations of an earlier run get a fresh lease.
  void restore(StoredBook stored, Now now);

  // Orders, see messages/budget.hpp. Before one with an id that is not open, recall() what is stored about that id.
  [[nodiscard]] bool is_open(std::string_view id) const { return open_.contains(std::string(id)); }
  void recall(ClosedCall call);
  [[nodiscard]] messages::BudgetVerdict reserve(const messages::BudgetReserve& order, Now now);
  /// False when there is no such reservation any more.
  bool renew(std::string_view id, Now now);
  void settle(const messages::BudgetSettle& order, Now now);
  void release(const std::string& id, Now now);

  // What people want; see Accounts.
  Result<> set(const messages::BudgetSet& order, Now now);
  Result<std::size_t> reset(const messages::BudgetReset& order, Now now);
  [[nodiscard]] messages::BudgetReport report(const messages::BudgetList& list, Now now);

  /// Ends the reservations whose lease is over.
  void tick(Now now);

  /// What is to be stored before the verdicts go out. Forgets what was recalled.
  [[nodiscard]] BookChanges take_changes();

  [[nodiscard]] std::chrono::milliseconds lease() const { return lease_; }
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  [[nodiscard]] std::size_t account_count() const { return accounts_.count(); }
  [[nodiscard]] const BookCounts& counts() const { return counts_; }
  [[nodiscard]] std::vector<LimitFigures> figures(Now now) { return accounts_.figures(now.wall); }

 private:
  struct Open {
    Reservation reservation;
    TimePoint lease_end;
  };
  /// Grows stale when a lease is renewed: the reservation itself knows better.
  struct LeaseEnd {
    TimePoint at;
    std::string id;
    friend bool operator>(const LeaseEnd& a, const LeaseEnd& b) { return a.at > b.at; }
  };
  using Verdict = messages::BudgetVerdict;

  struct Estimate {
    TokenEstimate tokens;
    Amount amount;
    std::uint64_t max_output_tokens = 0;
  };
  [[nodiscard]] Estimate estimate(const messages::BudgetReserve& order,
                                  const std::optional<llm::ModelPrice>& price) const;
  [[nodiscard]] Verdict granted(const Reservation& reservation, const messages::BudgetReserve& order,
                                const std::optional<llm::ModelPrice>& price, std::uint64_t max_output_tokens, Now now);
  void open(Reservation reservation, TimePoint lease_end);
  /// Takes an open reservation out and frees what it holds.
  Reservation take(const std::string& id, Now now);
  void close(ClosedCall call);
  [[nodiscard]] ClosedCall* find_closed(const std::string& id);
  void correct(ClosedCall& call, Ending ending, const Amount& real, Now now);
  void expire(const std::string& id, Now now);
  [[nodiscard]] Accounts::EachHeld each_held() const;

  std::chrono::milliseconds lease_;
  budget::EstimateMode estimate_mode_;
  std::uint64_t max_output_tokens_;
  BookLimits limits_;
  Pricing pricing_;
  Estimator estimator_;
  Accounts accounts_;
  std::unordered_map<std::string, Open> open_;
  std::priority_queue<LeaseEnd, std::vector<LeaseEnd>, std::greater<>> leases_;
  BookCounts counts_;
  // Until the next commit.
  std::vector<std::string> opened_;
  std::map<std::string, ClosedCall> closed_;
  std::map<std::string, ClosedCall> recalled_;
};

}  // namespace parley::ledger
