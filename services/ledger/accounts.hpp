// The limits and what has been spent and reserved of each. Reserved is never stored: it is the sum over the calls under
// way, so that nothing can stay reserved that nobody uses. Pure. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/budget/limit.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"
#include "services/ledger/records.hpp"

namespace parley::ledger {

/// Why a call is refused.
struct Refusal {
  budget::Limit limit;
  std::string subject;  ///< the one whose account is empty
  Amount spent;
  Amount reserved;
  std::optional<WallTime> reset;
  /// It would fit without what is reserved.
  bool is_held = false;
};

/// One limit as the metrics show it; of a limit for each, the account that is nearest to its limit.
struct LimitFigures {
  budget::Limit limit;
  Amount spent;
  Amount reserved;
  std::uint64_t refused = 0;
  std::size_t accounts = 0;
};

class Accounts {
 public:
  /// An account of a `total` limit for each that nobody has touched for so long makes room when room is short.
  static constexpr std::chrono::days kIdle{30};

  Accounts(std::vector<budget::Limit> from_file, std::size_t max_accounts, WallTime wall);

  /// What was set wins over the file; accounts of limits that are no more are dropped.
  void restore(std::vector<Account> accounts, std::vector<budget::Limit> set_limits, WallTime wall);

  /// nullopt: the amount fits into every hard limit of the payer. Of several that refuse, the one that does so longest.
  [[nodiscard]] std::optional<Refusal> refusal_of(const Payer& payer, const Amount& amount, WallTime wall);
  /// False when the payer needs an account and there is no room for it.
  [[nodiscard]] bool has_room_for(const Payer& payer, WallTime wall);
  /// The first limit in money that the payer has.
  [[nodiscard]] const budget::Limit* money_limit_of(const Payer& payer) const;
  /// Names of the payer's soft limits that are spent.
  [[nodiscard]] std::vector<std::string> soft_exceeded(const Payer& payer, WallTime wall);

  void hold(const Payer& payer, const Amount& amount, WallTime wall);
  void let_go(const Payer& payer, const Amount& amount, WallTime wall);
  void charge(const Payer& payer, const Amount& amount, bool is_estimated, WallTime wall);
  /// An estimate that was charged at `charged_at` turns out to be `real`. A period that has ended since is left alone.
  void correct(const Payer& payer, const Amount& estimated, const Amount& real, WallTime charged_at, WallTime wall);

  /// Fails with `invalid`. `held` calls back with everything that is reserved, to count it anew.
  using EachHeld = std::function<void(const std::function<void(const Payer&, const Amount&)>&)>;
  Result<> set(const messages::BudgetSet& order, const EachHeld& held, WallTime wall);
  /// The number of accounts that were reset. Fails with `invalid` for an unknown limit or account.
  Result<std::size_t> reset(const messages::BudgetReset& order, WallTime wall);
  void count_held_anew(const EachHeld& held, WallTime wall);

  [[nodiscard]] messages::BudgetReport report(const messages::BudgetList& list, WallTime wall);
  [[nodiscard]] std::vector<LimitFigures> figures(WallTime wall);
  [[nodiscard]] std::size_t count() const { return accounts_.size(); }

  /// Adds what has changed since the last call.
  void move_changes_to(BookChanges& changes);

 private:
  struct Known {
    budget::Limit limit;
    std::string kind;
    bool is_set = false;
  };
  struct Live {
    Account stored;
    Amount reserved;
  };
  using Limits = std::map<std::string, Known, std::less<>>;

  [[nodiscard]] static std::string key_of(std::string_view limit, std::string_view subject);
  void install(budget::Limit limit, bool is_set, WallTime wall);
  void drop_accounts_of(const std::string& limit);
  [[nodiscard]] static std::optional<std::string_view> subject_of(const budget::Limit& limit, const Payer& payer);
  Live* find(const Known& known, std::string_view subject, WallTime wall);
  Live& account(const Known& known, std::string_view subject, WallTime wall);
  void roll(const Known& known, Live& live, WallTime wall);
  void touch(Live& live, WallTime wall);
  void make_room(WallTime wall);
  [[nodiscard]] std::uint64_t refused_by(const std::string& limit) const;
  [[nodiscard]] messages::BudgetRow row_of(const Known& known, const Live& live) const;

  std::map<std::string, budget::Limit, std::less<>> file_limits_;
  Limits limits_;
  std::unordered_map<std::string, Live> accounts_;
  std::size_t max_accounts_;
  WallTime last_sweep_{};
  std::map<std::string, std::uint64_t, std::less<>> refused_;  ///< by limit, since the start
  // For the next commit.
  std::set<std::string> dirty_;
  std::vector<AccountKey> dropped_;
  std::set<std::string> set_;
  std::set<std::string> forgotten_;
};

}  // namespace parley::ledger
