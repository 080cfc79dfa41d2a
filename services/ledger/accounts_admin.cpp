// What people do with limits, and what they see of them.
#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/ledger/accounts.hpp"
#include "services/ledger/calendar.hpp"

namespace parley::ledger {
namespace {

using budget::Limit;
using messages::BudgetLimit;

constexpr std::size_t kMaxLimits = 2000;
constexpr std::size_t kDefaultRows = 1000;

/// The limit as it is, with the named fields as the order says.
Result<BudgetLimit> merged(BudgetLimit limit, const messages::BudgetSet& order) {
  const BudgetLimit& wanted = order.limit;
  for (const std::string& field : order.fields) {
    if (field == "scope") {
      limit.scope = wanted.scope;
      limit.subject = wanted.subject;
    } else if (field == "per") {
      limit.per = wanted.per;
    } else if (field == "usd") {
      limit.has_usd = wanted.has_usd;
      limit.nano_usd = wanted.nano_usd;
    } else if (field == "tokens") {
      limit.has_tokens = wanted.has_tokens;
      limit.tokens = wanted.tokens;
    } else if (field == "is_soft") {
      limit.is_soft = wanted.is_soft;
    } else {
      return fail(ErrorCode::invalid, fmt::format("fields: '{}': expected scope, per, usd, tokens or is_soft", field));
    }
  }
  return limit;
}

std::unexpected<Error> unknown_limit(const std::string& name) {
  return fail(ErrorCode::invalid, fmt::format("no budget '{}'; 'parley budget ls' lists them", name));
}

double share(std::uint64_t limit, std::uint64_t used) {
  return limit == 0 ? 1 : static_cast<double>(used) / static_cast<double>(limit);
}

double fullness(const Limit& limit, const Amount& spent, const Amount& reserved) {
  double fullest = 0;
  if (limit.nano_usd) fullest = share(*limit.nano_usd, spent.nano_usd + reserved.nano_usd);
  if (limit.tokens) fullest = std::max(fullest, share(*limit.tokens, spent.tokens + reserved.tokens));
  return fullest;
}

}  // namespace

Result<> Accounts::set(const messages::BudgetSet& order, const EachHeld& held, WallTime wall) {
  const std::string& name = order.limit.name;
  const auto known = limits_.find(name);
  if (order.is_default) {
    if (known == limits_.end()) return unknown_limit(name);
    forgotten_.insert(name);
    set_.erase(name);
    const auto in_file = file_limits_.find(name);
    if (in_file != file_limits_.end()) {
      install(in_file->second, false, wall);
    } else {
      drop_accounts_of(name);
      limits_.erase(name);
    }
    count_held_anew(held, wall);
    return {};
  }
  BudgetLimit base = order.limit;
  if (known != limits_.end() && !order.fields.empty()) base = to_message(known->second.limit);
  const Result<BudgetLimit> whole = order.fields.empty() ? base : merged(std::move(base), order);
  if (!whole) return fail(whole.error());
  Result<Limit> limit = budget::limit_from(*whole);
  if (!limit) return fail(std::move(limit).error());
  if (known == limits_.end() && limits_.size() >= kMaxLimits) {
    return fail(ErrorCode::overloaded, fmt::format("there are {} budgets already", limits_.size()));
  }
  install(std::move(*limit), true, wall);
  set_.insert(name);
  forgotten_.erase(name);
  count_held_anew(held, wall);
  return {};
}

Result<std::size_t> Accounts::reset(const messages::BudgetReset& order, WallTime wall) {
  const auto known = limits_.find(order.name);
  if (known == limits_.end()) return unknown_limit(order.name);
  std::size_t count = 0;
  for (auto& [key, live] : accounts_) {
    if (live.stored.limit != order.name) continue;
    if (!order.subject.empty() && live.stored.subject != order.subject) continue;
    live.stored.spent = {};
    live.stored.estimated_nano_usd = 0;
    live.stored.since = std::max(live.stored.since, wall);
    touch(live, wall);
    count++;
  }
  if (count == 0 && !order.subject.empty()) {
    return fail(ErrorCode::invalid, fmt::format("budget '{}' has no account of '{}'", order.name, order.subject));
  }
  return count;
}

void Accounts::count_held_anew(const EachHeld& held, WallTime wall) {
  for (auto& [key, live] : accounts_) live.reserved = {};
  held([&](const Payer& payer, const Amount& amount) { hold(payer, amount, wall); });
}

std::uint64_t Accounts::refused_by(const std::string& limit) const {
  const auto counted = refused_.find(limit);
  return counted == refused_.end() ? 0 : counted->second;
}

messages::BudgetRow Accounts::row_of(const Known& known, const Live& live) const {
  messages::BudgetRow row;
  row.limit = to_message(known.limit);
  row.subject = live.stored.subject;
  row.spent_nano_usd = live.stored.spent.nano_usd;
  row.spent_tokens = live.stored.spent.tokens;
  row.estimated_nano_usd = live.stored.estimated_nano_usd;
  row.reserved_nano_usd = live.reserved.nano_usd;
  row.reserved_tokens = live.reserved.tokens;
  row.refused = refused_by(known.limit.name);
  if (const auto end = period_end(known.limit.period, live.stored.since)) row.reset_ms = wall_ms(*end);
  row.origin = known.is_set ? "set" : "file";
  return row;
}

messages::BudgetReport Accounts::report(const messages::BudgetList& list, WallTime wall) {
  struct Found {
    const Known* known;
    const Live* live;
    double fullness;
  };
  std::vector<Found> found;
  for (auto& [key, live] : accounts_) {
    if (!list.name.empty() && live.stored.limit != list.name) continue;
    const Known& known = limits_.find(live.stored.limit)->second;
    roll(known, live, wall);
    found.push_back({&known, &live, fullness(known.limit, live.stored.spent, live.reserved)});
  }
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    if (a.known != b.known) return a.known->limit.name < b.known->limit.name;
    if (a.fullness != b.fullness) return a.fullness > b.fullness;
    return a.live->stored.subject < b.live->stored.subject;
  });
  messages::BudgetReport report;
  const std::size_t limit = list.limit == 0 ? kDefaultRows : std::min<std::size_t>(list.limit, 10 * kDefaultRows);
  // Each budget has a row, however many accounts another one has.
  std::size_t room = limit > limits_.size() ? limit - limits_.size() : 0;
  const Known* last = nullptr;
  for (const auto& [known, live, how_full] : found) {
    const bool is_first = std::exchange(last, known) != known;
    if (!is_first && room == 0) {
      report.left_out++;
      continue;
    }
    if (!is_first) room--;
    report.rows.push_back(row_of(*known, *live));
  }
  // A limit for each that nobody has used yet is there, too.
  for (const auto& [name, known] : limits_) {
    if (!known.limit.is_for_each() || (!list.name.empty() && list.name != name)) continue;
    const bool is_used = std::ranges::any_of(found, [&](const Found& each) { return each.known == &known; });
    if (!is_used) report.rows.push_back(row_of(known, Live()));
  }
  return report;
}

std::vector<LimitFigures> Accounts::figures(WallTime wall) {
  std::map<std::string_view, LimitFigures> figures;
  std::map<std::string_view, double> fullest;
  for (const auto& [name, known] : limits_) {
    figures[name].limit = known.limit;
    figures[name].refused = refused_by(name);
  }
  for (auto& [key, live] : accounts_) {
    const Known& known = limits_.find(live.stored.limit)->second;
    roll(known, live, wall);
    LimitFigures& figure = figures[known.limit.name];
    const double how_full = fullness(known.limit, live.stored.spent, live.reserved);
    if (figure.accounts++ > 0 && how_full <= fullest[known.limit.name]) continue;
    fullest[known.limit.name] = how_full;
    figure.spent = live.stored.spent;
    figure.reserved = live.reserved;
  }
  std::vector<LimitFigures> all;
  all.reserve(figures.size());
  for (auto& [name, figure] : figures) all.push_back(std::move(figure));
  return all;
}

}  // namespace parley::ledger
