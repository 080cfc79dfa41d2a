// What the ledger remembers, in memory and on disk. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/budget/limit.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::ledger {

/// Both clocks at one moment: leases are measured by the monotonic one, periods by the wall's.
struct Now {
  TimePoint mono;
  WallTime wall;
};

struct Amount {
  std::uint64_t nano_usd = 0;
  std::uint64_t tokens = 0;
  friend bool operator==(const Amount&, const Amount&) = default;
};

/// On whose account a call goes.
struct Payer {
  std::string agent;
  std::string conversation;
  std::string model;
  [[nodiscard]] std::string_view agent_type() const { return std::string_view(agent).substr(0, agent.find('/')); }
  friend bool operator==(const Payer&, const Payer&) = default;
};

/// What has been spent of a limit in its current period; of a limit for each, by one of them.
struct Account {
  std::string limit;
  std::string subject;  ///< of a limit for each; else empty
  /// Scope, subject and period of the limit that it belongs to: an account of another kind of limit means nothing.
  std::string kind;
  WallTime since{};  ///< from when on it counts: the start of its period, or its last reset
  WallTime touched{};
  Amount spent;
  /// Part of `spent`: charged for calls whose end nobody reported.
  std::uint64_t estimated_nano_usd = 0;
  friend bool operator==(const Account&, const Account&) = default;
};

/// A call that may be under way.
struct Reservation {
  std::string id;
  Payer payer;
  Amount amount;
  std::uint64_t input_tokens = 0;   ///< part of the amount
  std::uint64_t guessed_input = 0;  ///< by the sender, before any correction
  bool is_priced = true;
  WallTime opened{};
  friend bool operator==(const Reservation&, const Reservation&) = default;
};

enum class Ending : std::uint8_t {
  settled,   ///< charged as it was
  expired,   ///< its lease ended: charged as it was estimated
  released,  ///< not made: nothing charged
};

/// How a call ended: remembered for a while, so that saying it twice charges once, and what was estimated is corrected.
struct ClosedCall {
  std::string id;
  Ending ending = Ending::settled;
  WallTime at{};
  Payer payer;
  Amount charged;
  std::uint64_t guessed_input = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  friend bool operator==(const ClosedCall&, const ClosedCall&) = default;
};

/// Names an account.
struct AccountKey {
  std::string limit;
  std::string subject;
  friend bool operator==(const AccountKey&, const AccountKey&) = default;
};

/// What has changed since the last commit: all of it or nothing is stored.
struct BookChanges {
  std::vector<Account> accounts;
  std::vector<AccountKey> dropped_accounts;
  std::vector<Reservation> opened;
  /// Their reservations are gone.
  std::vector<ClosedCall> closed;
  std::vector<budget::Limit> set_limits;
  std::vector<std::string> forgotten_limits;

  [[nodiscard]] bool is_empty() const {
    return accounts.empty() && dropped_accounts.empty() && opened.empty() && closed.empty() && set_limits.empty() &&
           forgotten_limits.empty();
  }
};

/// Everything that an earlier run has left.
struct StoredBook {
  std::vector<Account> accounts;
  std::vector<Reservation> reservations;
  std::vector<budget::Limit> set_limits;
  /// The latest settled calls, oldest first, to learn from.
  std::vector<ClosedCall> recent;
};

}  // namespace parley::ledger
