#include "services/ledger/accounts.hpp"

#include <algorithm>
#include <limits>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/ledger/calendar.hpp"

namespace parley::ledger {
namespace {

using budget::Limit;
using budget::Scope;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}
std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }
Amount plus(const Amount& a, const Amount& b) { return {plus(a.nano_usd, b.nano_usd), plus(a.tokens, b.tokens)}; }
Amount minus(const Amount& a, const Amount& b) { return {minus(a.nano_usd, b.nano_usd), minus(a.tokens, b.tokens)}; }

/// What costs nothing by a measure is not refused by it.
bool is_over(std::optional<std::uint64_t> limit, std::uint64_t used, std::uint64_t wanted) {
  return limit && wanted > 0 && plus(used, wanted) > *limit;
}
bool is_over(const Limit& limit, const Amount& used, const Amount& wanted) {
  return is_over(limit.nano_usd, used.nano_usd, wanted.nano_usd) || is_over(limit.tokens, used.tokens, wanted.tokens);
}

bool is_spent(const Limit& limit, const Amount& spent) {
  return (limit.nano_usd && spent.nano_usd >= *limit.nano_usd) || (limit.tokens && spent.tokens >= *limit.tokens);
}

std::string kind_of(const Limit& limit) {
  return fmt::format("{}|{}|{}", budget::to_string(limit.scope), budget::to_string(limit.period), limit.subject);
}

/// The later one; never is later than any.
bool is_later(const std::optional<WallTime>& a, const std::optional<WallTime>& b) {
  if (!a || !b) return b.has_value() && !a;
  return *a > *b;
}

}  // namespace

Accounts::Accounts(std::vector<Limit> from_file, std::size_t max_accounts, WallTime wall)
    : max_accounts_(max_accounts) {
  for (Limit& limit : from_file) {
    file_limits_.emplace(limit.name, limit);
    install(std::move(limit), false, wall);
  }
}

std::string Accounts::key_of(std::string_view limit, std::string_view subject) {
  return fmt::format("{}\n{}", limit, subject);
}

void Accounts::install(Limit limit, bool is_set, WallTime wall) {
  std::string kind = kind_of(limit);
  const auto old = limits_.find(limit.name);
  if (old != limits_.end() && old->second.kind != kind) drop_accounts_of(limit.name);
  Known& known = limits_[limit.name];
  known = {std::move(limit), std::move(kind), is_set};
  // The account of a limit for one is there from the start, so that people see it.
  if (!known.limit.is_for_each()) account(known, "", wall);
}

void Accounts::drop_accounts_of(const std::string& limit) {
  std::erase_if(accounts_, [&](const auto& entry) {
    if (entry.second.stored.limit != limit) return false;
    dirty_.erase(entry.first);
    dropped_.push_back({limit, entry.second.stored.subject});
    return true;
  });
}

void Accounts::restore(std::vector<Account> accounts, std::vector<Limit> set_limits, WallTime wall) {
  for (Limit& limit : set_limits) install(std::move(limit), true, wall);
  // Nothing of what has been made until here is on disk.
  dropped_.clear();
  for (Account& stored : accounts) {
    const auto known = limits_.find(stored.limit);
    if (known == limits_.end() || known->second.kind != stored.kind) {
      dropped_.push_back({stored.limit, stored.subject});
      continue;
    }
    Live& live = accounts_[key_of(stored.limit, stored.subject)];
    live.stored = std::move(stored);
    dirty_.erase(key_of(live.stored.limit, live.stored.subject));
  }
}

std::optional<std::string_view> Accounts::subject_of(const Limit& limit, const Payer& payer) {
  std::string_view who;
  switch (limit.scope) {
    case Scope::all:
      return "";
    case Scope::agent_type:
      who = payer.agent_type();
      break;
    case Scope::agent:
      who = payer.agent;
      break;
    case Scope::conversation:
      who = payer.conversation;
      break;
    case Scope::model:
      who = payer.model;
      break;
  }
  if (limit.is_for_each()) return who;
  if (who == limit.subject) return "";
  return std::nullopt;
}

void Accounts::roll(const Known& known, Live& live, WallTime wall) {
  const WallTime start = period_start(known.limit.period, wall);
  // A clock that was set back stays in the period that has begun: nothing is spent twice.
  if (start <= live.stored.since) return;
  live.stored.since = start;
  live.stored.spent = {};
  live.stored.estimated_nano_usd = 0;
  dirty_.insert(key_of(live.stored.limit, live.stored.subject));
}

Accounts::Live* Accounts::find(const Known& known, std::string_view subject, WallTime wall) {
  const auto found = accounts_.find(key_of(known.limit.name, subject));
  if (found == accounts_.end()) return nullptr;
  roll(known, found->second, wall);
  return &found->second;
}

Accounts::Live& Accounts::account(const Known& known, std::string_view subject, WallTime wall) {
  if (Live* live = find(known, subject, wall)) return *live;
  Live& live = accounts_[key_of(known.limit.name, subject)];
  live.stored.limit = known.limit.name;
  live.stored.subject = subject;
  live.stored.kind = known.kind;
  live.stored.since = period_start(known.limit.period, wall);
  live.stored.touched = wall;
  return live;
}

void Accounts::touch(Live& live, WallTime wall) {
  live.stored.touched = std::max(live.stored.touched, wall);
  dirty_.insert(key_of(live.stored.limit, live.stored.subject));
}

std::optional<Refusal> Accounts::refusal_of(const Payer& payer, const Amount& amount, WallTime wall) {
  std::optional<Refusal> worst;
  for (const auto& [name, known] : limits_) {
    if (known.limit.is_soft) continue;
    const auto subject = subject_of(known.limit, payer);
    if (!subject) continue;
    Live* live = find(known, *subject, wall);
    const Amount spent = live != nullptr ? live->stored.spent : Amount();
    const Amount reserved = live != nullptr ? live->reserved : Amount();
    if (!is_over(known.limit, plus(spent, reserved), amount)) continue;
    Refusal refusal{known.limit,
                    known.limit.is_for_each() ? std::string(*subject) : known.limit.subject,
                    spent,
                    reserved,
                    period_end(known.limit.period, live != nullptr ? std::max(wall, live->stored.since) : wall),
                    !is_over(known.limit, spent, amount)};
    // One that is only held ends by itself, soon.
    const bool is_worse = !worst || (worst->is_held && !refusal.is_held) ||
                          (worst->is_held == refusal.is_held && is_later(refusal.reset, worst->reset));
    if (!is_worse) continue;
    worst = std::move(refusal);
  }
  // A call that waits asks again and again, and is refused once.
  if (worst && !worst->is_held) refused_[worst->limit.name]++;
  return worst;
}

void Accounts::make_room(WallTime wall) {
  // Looking at all of them is not for every call.
  if (wall - last_sweep_ < std::chrono::seconds(10) && wall >= last_sweep_) return;
  last_sweep_ = wall;
  std::erase_if(accounts_, [&](const auto& entry) {
    const auto& [key, live] = entry;
    const Known& known = limits_.find(live.stored.limit)->second;
    if (!known.limit.is_for_each() || live.reserved != Amount()) return false;
    const bool is_over = known.limit.period == budget::Period::total
                             ? wall - live.stored.touched > kIdle
                             : period_start(known.limit.period, wall) > live.stored.since;
    if (!is_over) return false;
    dirty_.erase(key);
    dropped_.push_back({live.stored.limit, live.stored.subject});
    return true;
  });
}

bool Accounts::has_room_for(const Payer& payer, WallTime wall) {
  const auto wanted = [&] {
    return std::ranges::count_if(limits_, [&](const auto& entry) {
      const auto subject = subject_of(entry.second.limit, payer);
      return subject && !accounts_.contains(key_of(entry.first, *subject));
    });
  };
  const auto missing = static_cast<std::size_t>(wanted());
  if (missing == 0 || accounts_.size() + missing <= max_accounts_) return true;
  make_room(wall);
  return accounts_.size() + missing <= max_accounts_;
}

const Limit* Accounts::money_limit_of(const Payer& payer) const {
  for (const auto& [name, known] : limits_) {
    if (known.limit.nano_usd && subject_of(known.limit, payer)) return &known.limit;
  }
  return nullptr;
}

std::vector<std::string> Accounts::soft_exceeded(const Payer& payer, WallTime wall) {
  std::vector<std::string> names;
  for (const auto& [name, known] : limits_) {
    if (!known.limit.is_soft) continue;
    const auto subject = subject_of(known.limit, payer);
    const Live* live = subject ? find(known, *subject, wall) : nullptr;
    if (live != nullptr && is_spent(known.limit, live->stored.spent)) names.push_back(name);
  }
  return names;
}

void Accounts::hold(const Payer& payer, const Amount& amount, WallTime wall) {
  for (const auto& [name, known] : limits_) {
    const auto subject = subject_of(known.limit, payer);
    if (!subject) continue;
    Live& live = account(known, *subject, wall);
    live.reserved = plus(live.reserved, amount);
  }
}

void Accounts::let_go(const Payer& payer, const Amount& amount, WallTime wall) {
  for (const auto& [name, known] : limits_) {
    const auto subject = subject_of(known.limit, payer);
    Live* live = subject ? find(known, *subject, wall) : nullptr;
    if (live != nullptr) live->reserved = minus(live->reserved, amount);
  }
}

void Accounts::charge(const Payer& payer, const Amount& amount, bool is_estimated, WallTime wall) {
  for (const auto& [name, known] : limits_) {
    const auto subject = subject_of(known.limit, payer);
    if (!subject) continue;
    // Beyond max_accounts as well: what was spent must be written down, and money keeps their number small.
    Live& live = account(known, *subject, wall);
    live.stored.spent = plus(live.stored.spent, amount);
    if (is_estimated) live.stored.estimated_nano_usd = plus(live.stored.estimated_nano_usd, amount.nano_usd);
    touch(live, wall);
  }
}

void Accounts::correct(const Payer& payer, const Amount& estimated, const Amount& real, WallTime charged_at,
                       WallTime wall) {
  for (const auto& [name, known] : limits_) {
    const auto subject = subject_of(known.limit, payer);
    Live* live = subject ? find(known, *subject, wall) : nullptr;
    if (live == nullptr || live->stored.since > charged_at) continue;
    live->stored.spent = plus(minus(live->stored.spent, estimated), real);
    live->stored.estimated_nano_usd = minus(live->stored.estimated_nano_usd, estimated.nano_usd);
    touch(*live, wall);
  }
}

void Accounts::move_changes_to(BookChanges& changes) {
  for (const std::string& key : dirty_) {
    const auto live = accounts_.find(key);
    if (live != accounts_.end()) changes.accounts.push_back(live->second.stored);
  }
  // An account that was dropped and made anew is stored.
  std::erase_if(dropped_, [&](const AccountKey& key) { return dirty_.contains(key_of(key.limit, key.subject)); });
  changes.dropped_accounts = std::exchange(dropped_, {});
  dirty_.clear();
  for (const std::string& name : std::exchange(set_, {})) {
    const auto known = limits_.find(name);
    if (known != limits_.end()) changes.set_limits.push_back(known->second.limit);
  }
  for (const std::string& name : std::exchange(forgotten_, {})) changes.forgotten_limits.push_back(name);
}

}  // namespace parley::ledger
