// What the ledger is told and tells: reservations before model calls, settlements after them, and the limits that
// people set. It answers as the agent `sys.ledger/default`. PROTOCOL.md §Shared messages documents each field, §Budgets
// the rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::messages {

inline constexpr std::string_view kLedgerType = "sys.ledger";

/// The prices of a request whose input is above a number of tokens.
struct BudgetTier {
  std::uint64_t above_input_tokens = 0;
  std::uint64_t input_pico_usd = 0;
  std::uint64_t cached_input_pico_usd = 0;
  std::uint64_t cache_write_pico_usd = 0;
  std::uint64_t output_pico_usd = 0;
  PARLEY_FIELDS(above_input_tokens, input_pico_usd, cached_input_pico_usd, cache_write_pico_usd, output_pico_usd)
  friend bool operator==(const BudgetTier&, const BudgetTier&) = default;
};

/// What one token costs, in pico-dollars.
struct BudgetPrice {
  bool is_known = false;
  std::uint64_t input_pico_usd = 0;
  std::uint64_t cached_input_pico_usd = 0;
  std::uint64_t cache_write_pico_usd = 0;
  std::uint64_t output_pico_usd = 0;
  std::vector<BudgetTier> tiers;
  PARLEY_FIELDS(is_known, input_pico_usd, cached_input_pico_usd, cache_write_pico_usd, output_pico_usd, tiers)
  friend bool operator==(const BudgetPrice&, const BudgetPrice&) = default;
};

/// Before a model call: may it be made?
struct BudgetReserve {
  /// Chosen by the sender, never used twice by anybody; the idempotency key of everything about this call.
  std::string id;
  std::string agent;  ///< agent id; its type is the part before the first `/`
  std::string conversation;
  std::string model;  ///< as the provider names it
  /// What the input is likely to be.
  std::uint64_t input_tokens = 0;
  /// What the input cannot be more than.
  std::uint64_t max_input_tokens = 0;
  /// The request's own limit of its output; 0: it has none.
  std::uint64_t max_output_tokens = 0;
  /// The price in the sender's configuration; the ledger's own table wins over it.
  BudgetPrice price;
  PARLEY_FIELDS(id, agent, conversation, model, input_tokens, max_input_tokens, max_output_tokens, price)
  friend bool operator==(const BudgetReserve&, const BudgetReserve&) = default;
};

/// After a model call: what it has cost.
struct BudgetSettle {
  std::string id;
  std::string agent;
  std::string conversation;
  std::string model;  ///< the one that was reserved for
  Usage usage;
  BudgetPrice price;
  PARLEY_FIELDS(id, agent, conversation, model, usage, price)
  friend bool operator==(const BudgetSettle&, const BudgetSettle&) = default;
};

/// Everything that one process has to say to the ledger at a moment. Answered with BudgetVerdicts once it is on disk.
/// The same orders may be sent again: each id is reserved once and settled once.
struct BudgetOrders {
  static constexpr std::string_view kTypeName = "parley.BudgetOrders";
  std::vector<BudgetReserve> reserve;
  /// Ids of calls that are still under way.
  std::vector<std::string> renew;
  std::vector<BudgetSettle> settle;
  /// Ids of calls that were not made.
  std::vector<std::string> release;
  PARLEY_FIELDS(reserve, renew, settle, release)
  friend bool operator==(const BudgetOrders&, const BudgetOrders&) = default;
};

/// Whether one call may be made.
struct BudgetVerdict {
  std::string id;
  bool is_granted = false;
  std::uint64_t reserved_nano_usd = 0;
  std::uint64_t reserved_tokens = 0;
  /// The call must ask for no more output than this; 0: as it likes.
  std::uint64_t max_output_tokens = 0;
  /// By which the ledger prices the call.
  BudgetPrice price;
  /// Names of soft limits that are spent.
  std::vector<std::string> soft_exceeded;

  // Of a refusal.
  std::string code;    ///< of the error catalogue: `budget_exceeded`, `overloaded`, `invalid`
  std::string reason;  ///< for people
  std::string budget;  ///< the limit's name
  std::string scope;   ///< `all`, `agent_type`, `agent`, `conversation`, `model`
  std::string subject;
  std::string per;  ///< `hour`, `day`, `month`, `total`
  /// The limit, and what is spent of it; only one in money, or in tokens, has it.
  bool has_usd = false;
  std::uint64_t limit_nano_usd = 0;
  std::uint64_t spent_nano_usd = 0;
  bool has_tokens = false;
  std::uint64_t limit_tokens = 0;
  std::uint64_t spent_tokens = 0;
  std::uint64_t reset_ms = 0;  ///< wall clock; 0: never
  /// The call would fit if the calls under way were free; it may after they have ended.
  bool is_held = false;
  PARLEY_FIELDS(id, is_granted, reserved_nano_usd, reserved_tokens, max_output_tokens, price, soft_exceeded, code,
                reason, budget, scope, subject, per, has_usd, limit_nano_usd, spent_nano_usd, has_tokens, limit_tokens,
                spent_tokens, reset_ms, is_held)
  friend bool operator==(const BudgetVerdict&, const BudgetVerdict&) = default;
};

struct BudgetVerdicts {
  static constexpr std::string_view kTypeName = "parley.BudgetVerdicts";
  std::vector<BudgetVerdict> reserve;  ///< in the order of the orders
  /// Of the renewed ids, those that the ledger does not hold any more.
  std::vector<std::string> lost;
  /// A reservation that is not renewed for so long is charged as it was estimated.
  std::uint64_t lease_ms = 0;
  PARLEY_FIELDS(reserve, lost, lease_ms)
  friend bool operator==(const BudgetVerdicts&, const BudgetVerdicts&) = default;
};

/// Asks for a BudgetReport.
struct BudgetList {
  static constexpr std::string_view kTypeName = "parley.BudgetList";
  std::string name;  ///< only this limit; empty: all
  /// Rows at most, the fullest accounts first, but one for every budget; 0: 1000.
  std::uint32_t limit = 0;
  PARLEY_FIELDS(name, limit)
  friend bool operator==(const BudgetList&, const BudgetList&) = default;
};

/// One limit. In BudgetSet an existing one keeps what has been spent.
struct BudgetLimit {
  std::string name;
  std::string scope = "all";  ///< `all`, `agent_type`, `agent`, `conversation`, `model`
  std::string subject;        ///< `*`: each one has the limit for itself; empty for `all`
  std::string per = "total";  ///< `hour`, `day`, `month` (of the calendar, UTC), `total`
  bool has_usd = false;
  std::uint64_t nano_usd = 0;
  bool has_tokens = false;
  std::uint64_t tokens = 0;
  bool is_soft = false;
  PARLEY_FIELDS(name, scope, subject, per, has_usd, nano_usd, has_tokens, tokens, is_soft)
  friend bool operator==(const BudgetLimit&, const BudgetLimit&) = default;
};

/// One account: a limit, or one subject of a limit for each.
struct BudgetRow {
  BudgetLimit limit;
  std::string subject;  ///< of a limit for each: whose account this is
  std::uint64_t spent_nano_usd = 0;
  std::uint64_t spent_tokens = 0;
  /// Part of `spent`: charged for calls whose end nobody reported.
  std::uint64_t estimated_nano_usd = 0;
  std::uint64_t reserved_nano_usd = 0;
  std::uint64_t reserved_tokens = 0;
  std::uint64_t refused = 0;   ///< since the ledger started
  std::uint64_t reset_ms = 0;  ///< wall clock; 0: never
  std::string origin;          ///< `file` or `set`
  PARLEY_FIELDS(limit, subject, spent_nano_usd, spent_tokens, estimated_nano_usd, reserved_nano_usd, reserved_tokens,
                refused, reset_ms, origin)
  friend bool operator==(const BudgetRow&, const BudgetRow&) = default;
};

struct BudgetReport {
  static constexpr std::string_view kTypeName = "parley.BudgetReport";
  std::vector<BudgetRow> rows;
  std::uint64_t left_out = 0;
  std::uint64_t reservations = 0;     ///< open now
  std::uint64_t unpriced_tokens = 0;  ///< since the ledger started
  PARLEY_FIELDS(rows, left_out, reservations, unpriced_tokens)
  friend bool operator==(const BudgetReport&, const BudgetReport&) = default;
};

/// Makes or changes a limit; the ledger keeps it over restarts, and it wins over the file's. Answered with BudgetDone
/// or `invalid`.
struct BudgetSet {
  static constexpr std::string_view kTypeName = "parley.BudgetSet";
  BudgetLimit limit;
  /// Forget what was set: the file's limit counts again, and one that no file names is gone.
  bool is_default = false;
  /// Only these fields of `limit` change, the others stay: `scope` (with `subject`), `per`, `usd`, `tokens`, `is_soft`.
  std::vector<std::string> fields;
  PARLEY_FIELDS(limit, is_default, fields)
  friend bool operator==(const BudgetSet&, const BudgetSet&) = default;
};

/// What was spent of a limit counts as nothing from now on. Answered with BudgetDone or `invalid`.
struct BudgetReset {
  static constexpr std::string_view kTypeName = "parley.BudgetReset";
  std::string name;
  std::string subject;  ///< of a limit for each: only this account; empty: all of them
  PARLEY_FIELDS(name, subject)
  friend bool operator==(const BudgetReset&, const BudgetReset&) = default;
};

struct BudgetDone {
  static constexpr std::string_view kTypeName = "parley.BudgetDone";
  std::string text;  ///< for people
  std::uint64_t accounts = 0;
  PARLEY_FIELDS(text, accounts)
  friend bool operator==(const BudgetDone&, const BudgetDone&) = default;
};

}  // namespace parley::messages
