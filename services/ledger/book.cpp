#include "services/ledger/book.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/ledger/refusal_verdict.hpp"

namespace parley::ledger {
namespace {

using budget::EstimateMode;
using llm::ModelPrice;
using messages::BudgetReserve;
using messages::BudgetSettle;
using messages::BudgetVerdict;

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxTextBytes = 512;
/// More than any model takes; a larger number is a mistake.
constexpr std::uint64_t kMaxTokens = 1'000'000'000;

/// Empty: nothing is wrong.
std::string problem_of(const BudgetReserve& order) {
  if (order.id.empty() || order.id.size() > kMaxIdBytes) return "id: expected 1 to 64 bytes";
  for (const std::string* text : {&order.agent, &order.conversation, &order.model}) {
    if (text->size() > kMaxTextBytes) return "agent, conversation and model: expected at most 512 bytes each";
  }
  for (const std::uint64_t tokens : {order.input_tokens, order.max_input_tokens, order.max_output_tokens}) {
    if (tokens > kMaxTokens) return "tokens: expected at most 1000000000";
  }
  return "";
}

Payer payer_of(const std::string& agent, const std::string& conversation, const std::string& model) {
  return {agent, conversation, model};
}

messages::Usage usage_of(const TokenEstimate& tokens) {
  messages::Usage usage;
  usage.input_tokens = tokens.input_tokens;
  usage.output_tokens = tokens.output_tokens;
  return usage;
}

Amount amount_of(const messages::Usage& usage, const std::optional<ModelPrice>& price) {
  const std::uint64_t tokens = std::min(usage.input_tokens, kMaxTokens) + std::min(usage.output_tokens, kMaxTokens);
  return {price ? llm::cost_nano_usd(usage, *price) : 0, tokens};
}

}  // namespace

Book::Book(const budget::BudgetsConfig& config, PriceTable prices, BookLimits limits, Now now)
    : lease_(config.lease),
      estimate_mode_(config.estimate),
      max_output_tokens_(config.max_output_tokens),
      limits_(limits),
      pricing_(std::move(prices), config.unknown_model),
      estimator_(config.max_output_tokens),
      accounts_(config.limits, limits.max_accounts, now.wall) {}

void Book::restore(StoredBook stored, Now now) {
  accounts_.restore(std::move(stored.accounts), std::move(stored.set_limits), now.wall);
  for (const ClosedCall& call : stored.recent) {
    estimator_.learn(call.payer.model, call.payer.agent_type(), call.guessed_input,
                     {call.input_tokens, call.output_tokens});
  }
  for (Reservation& reservation : stored.reservations) {
    accounts_.hold(reservation.payer, reservation.amount, now.wall);
    open(std::move(reservation), now.mono + lease_);
  }
}

void Book::recall(ClosedCall call) {
  if (closed_.contains(call.id)) return;
  std::string id = call.id;
  recalled_.insert_or_assign(std::move(id), std::move(call));
}

Book::Estimate Book::estimate(const BudgetReserve& order, const std::optional<ModelPrice>& price) const {
  Estimate estimate;
  if (estimate_mode_ == EstimateMode::worst_case) {
    const std::uint64_t own = order.max_output_tokens;
    estimate.max_output_tokens = own == 0 ? max_output_tokens_ : own;
    estimate.tokens = {std::max(order.max_input_tokens, order.input_tokens), estimate.max_output_tokens};
    if (price) {
      estimate.amount.nano_usd =
          llm::highest_cost_nano_usd(estimate.tokens.input_tokens, estimate.tokens.output_tokens, *price);
    }
  } else {
    const Payer payer = payer_of(order.agent, order.conversation, order.model);
    estimate.tokens =
        estimator_.estimate(order.model, payer.agent_type(), {order.input_tokens, order.max_output_tokens});
    if (price) estimate.amount.nano_usd = llm::cost_nano_usd(usage_of(estimate.tokens), *price);
  }
  estimate.amount.tokens = estimate.tokens.input_tokens + estimate.tokens.output_tokens;
  return estimate;
}

BudgetVerdict Book::granted(const Reservation& reservation, const BudgetReserve& order,
                            const std::optional<ModelPrice>& price, std::uint64_t max_output_tokens, Now now) {
  Verdict verdict;
  verdict.id = reservation.id;
  verdict.is_granted = true;
  verdict.reserved_nano_usd = reservation.amount.nano_usd;
  verdict.reserved_tokens = reservation.amount.tokens;
  verdict.max_output_tokens = max_output_tokens;
  if (price) verdict.price = budget::to_message(*price);
  verdict.soft_exceeded = accounts_.soft_exceeded(payer_of(order.agent, order.conversation, order.model), now.wall);
  return verdict;
}

BudgetVerdict Book::reserve(const BudgetReserve& order, Now now) {
  if (std::string problem = problem_of(order); !problem.empty()) {
    return refused(order, ErrorCode::invalid, std::move(problem));
  }
  const std::optional<ModelPrice> price = pricing_.price_of(order.model, "", order.price);
  const Estimate wanted = estimate(order, price);
  if (const auto known = open_.find(order.id); known != open_.end()) {
    // Asked again because the answer was lost.
    renew(order.id, now);
    return granted(known->second.reservation, order, price, wanted.max_output_tokens, now);
  }
  if (find_closed(order.id) != nullptr) {
    return refused(order, ErrorCode::invalid, fmt::format("call {} has ended already", order.id));
  }
  Reservation reservation{order.id,
                          payer_of(order.agent, order.conversation, order.model),
                          wanted.amount,
                          wanted.tokens.input_tokens,
                          order.input_tokens,
                          price.has_value(),
                          now.wall};
  const budget::Limit* money = accounts_.money_limit_of(reservation.payer);
  if (!price && money != nullptr && !pricing_.is_unpriced_allowed()) return unknown_model(order, *money);
  if (open_.size() >= limits_.max_reservations || !accounts_.has_room_for(reservation.payer, now.wall)) {
    return refused(order, ErrorCode::overloaded,
                   fmt::format("the ledger has {} reservations and {} accounts, and room for no more", open_.size(),
                               accounts_.count()));
  }
  if (const auto refusal = accounts_.refusal_of(reservation.payer, wanted.amount, now.wall)) {
    return refused(order, *refusal, wanted.amount);
  }
  accounts_.hold(reservation.payer, wanted.amount, now.wall);
  counts_.granted++;
  opened_.push_back(order.id);
  Verdict verdict = granted(reservation, order, price, wanted.max_output_tokens, now);
  open(std::move(reservation), now.mono + lease_);
  return verdict;
}

void Book::open(Reservation reservation, TimePoint lease_end) {
  std::string id = reservation.id;
  leases_.push({lease_end, id});
  open_.emplace(std::move(id), Open{std::move(reservation), lease_end});
}

bool Book::renew(std::string_view id, Now now) {
  const auto known = open_.find(std::string(id));
  if (known == open_.end()) return false;
  known->second.lease_end = now.mono + lease_;
  return true;
}

Reservation Book::take(const std::string& id, Now now) {
  const auto known = open_.find(id);
  Reservation reservation = std::move(known->second.reservation);
  open_.erase(known);
  accounts_.let_go(reservation.payer, reservation.amount, now.wall);
  return reservation;
}

ClosedCall* Book::find_closed(const std::string& id) {
  if (const auto found = closed_.find(id); found != closed_.end()) return &found->second;
  const auto found = recalled_.find(id);
  return found == recalled_.end() ? nullptr : &found->second;
}

void Book::close(ClosedCall call) {
  std::string id = call.id;
  recalled_.erase(id);
  closed_.insert_or_assign(std::move(id), std::move(call));
}

void Book::settle(const BudgetSettle& order, Now now) {
  const bool is_wrong = order.id.empty() || order.id.size() > kMaxIdBytes;
  const std::optional<ModelPrice> price = pricing_.price_of(order.model, order.usage.model, order.price);
  const Amount real = amount_of(order.usage, price);
  ClosedCall call{order.id,
                  Ending::settled,
                  now.wall,
                  payer_of(order.agent, order.conversation, order.model),
                  real,
                  0,
                  order.usage.input_tokens,
                  order.usage.output_tokens};
  if (open_.contains(order.id)) {
    const Reservation reservation = take(order.id, now);
    call.payer = reservation.payer;
    call.guessed_input = reservation.guessed_input;
  } else if (ClosedCall* closed = is_wrong ? nullptr : find_closed(order.id)) {
    correct(*closed, Ending::settled, real, now);
    return;
  } else {
    counts_.unreserved++;
  }
  accounts_.charge(call.payer, real, order.usage.is_estimated, now.wall);
  if (!price) counts_.unpriced_tokens += real.tokens;
  counts_.settled++;
  counts_.charged_nano_usd += real.nano_usd;
  if (!order.usage.is_estimated) {
    estimator_.learn(call.payer.model, call.payer.agent_type(), call.guessed_input,
                     {call.input_tokens, call.output_tokens});
  }
  if (!is_wrong) close(std::move(call));
}

void Book::correct(ClosedCall& call, Ending ending, const Amount& real, Now now) {
  if (call.ending == Ending::settled || (call.ending == Ending::released && ending == Ending::released)) {
    counts_.repeated++;
    return;
  }
  if (call.ending == Ending::expired) {
    accounts_.correct(call.payer, call.charged, real, call.at, now.wall);
    counts_.corrected++;
  } else {
    // Somebody took it for not made, and it was.
    accounts_.charge(call.payer, real, false, now.wall);
  }
  ClosedCall corrected = call;
  corrected.ending = ending;
  corrected.charged = real;
  close(std::move(corrected));
}

void Book::release(const std::string& id, Now now) {
  if (id.empty() || id.size() > kMaxIdBytes) return;
  if (!open_.contains(id)) {
    if (ClosedCall* closed = find_closed(id)) {
      correct(*closed, Ending::released, {}, now);
      return;
    }
    // Its reservation may still be on its way: it must not be granted to nobody.
    close({id, Ending::released, now.wall, {}, {}, 0, 0, 0});
    return;
  }
  const Reservation reservation = take(id, now);
  counts_.released++;
  close({id, Ending::released, now.wall, reservation.payer, {}, reservation.guessed_input, 0, 0});
}

void Book::expire(const std::string& id, Now now) {
  const Reservation reservation = take(id, now);
  accounts_.charge(reservation.payer, reservation.amount, true, now.wall);
  counts_.expired++;
  counts_.estimated_nano_usd += reservation.amount.nano_usd;
  if (!reservation.is_priced) counts_.unpriced_tokens += reservation.amount.tokens;
  close({id, Ending::expired, now.wall, reservation.payer, reservation.amount, reservation.guessed_input,
         reservation.input_tokens, reservation.amount.tokens - reservation.input_tokens});
}

void Book::tick(Now now) {
  while (!leases_.empty() && leases_.top().at <= now.mono) {
    LeaseEnd due = leases_.top();
    leases_.pop();
    const auto known = open_.find(due.id);
    if (known == open_.end()) continue;
    if (known->second.lease_end > now.mono) {
      leases_.push({known->second.lease_end, std::move(due.id)});
    } else {
      expire(due.id, now);
    }
  }
}

Accounts::EachHeld Book::each_held() const {
  return [this](const auto& each) {
    for (const auto& [id, open] : open_) each(open.reservation.payer, open.reservation.amount);
  };
}

Result<> Book::set(const messages::BudgetSet& order, Now now) { return accounts_.set(order, each_held(), now.wall); }

Result<std::size_t> Book::reset(const messages::BudgetReset& order, Now now) {
  return accounts_.reset(order, now.wall);
}

messages::BudgetReport Book::report(const messages::BudgetList& list, Now now) {
  messages::BudgetReport report = accounts_.report(list, now.wall);
  report.reservations = open_.size();
  report.unpriced_tokens = counts_.unpriced_tokens;
  return report;
}

BookChanges Book::take_changes() {
  BookChanges changes;
  for (const std::string& id : std::exchange(opened_, {})) {
    const auto known = open_.find(id);
    if (known != open_.end()) changes.opened.push_back(known->second.reservation);
  }
  for (auto& [id, call] : closed_) changes.closed.push_back(std::move(call));
  closed_.clear();
  recalled_.clear();
  accounts_.move_changes_to(changes);
  return changes;
}

}  // namespace parley::ledger
