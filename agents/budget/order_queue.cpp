#include "agents/budget/order_queue.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace parley::budget {
namespace {

using std::chrono::milliseconds;

/// Of a lease: two renewals may be lost.
constexpr int kRenewalsPerLease = 3;

milliseconds until(TimePoint deadline, TimePoint now) {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(deadline - now));
}

Error gone(std::string_view reason) {
  std::string text = "no call without a budget: the ledger does not answer";
  if (!reason.empty()) text += " (" + std::string(reason) + ")";
  return {ErrorCode::unreachable, std::move(text)};
}

}  // namespace

Result<> OrderQueue::reserve(messages::BudgetReserve order, TimePoint deadline) {
  if (reserves_.size() >= kMaxReserves) {
    return fail(ErrorCode::overloaded, "too many calls wait for the ledger's answer");
  }
  reserves_.push_back({std::move(order), deadline});
  return {};
}

void OrderQueue::withdraw(const std::string& id, TimePoint now) {
  const auto queued = std::ranges::find(reserves_, id, [](const Reserve& each) { return each.order.id; });
  if (queued != reserves_.end()) {
    const bool was_sent = queued->was_sent;
    reserves_.erase(queued);
    if (!was_sent) return;
  } else if (open_.erase(id) == 0) {
    abandoned_.insert(id);
  }
  // It may have been granted. Should it reach the ledger later than this, it is refused.
  add_report({.order = {.id = id}, .is_release = true, .since = now, .first_sent = std::nullopt});
}

void OrderQueue::settle(messages::BudgetSettle order, TimePoint now) {
  open_.erase(order.id);
  add_report({.order = std::move(order), .is_release = false, .since = now, .first_sent = std::nullopt});
}

void OrderQueue::release(std::string id, TimePoint now) {
  open_.erase(id);
  messages::BudgetSettle order;
  order.id = std::move(id);
  add_report({.order = std::move(order), .is_release = true, .since = now, .first_sent = std::nullopt});
}

void OrderQueue::add_report(Report report) {
  if (reports_.size() >= kMaxReports) {
    reports_.pop_front();
    reports_dropped_++;
  }
  reports_.push_back(std::move(report));
}

void OrderQueue::take_reserves(Batch& batch, InFlight& flight, TimePoint now) {
  while (!reserves_.empty() && batch.orders.reserve.size() < kMaxBatch) {
    Reserve each = std::move(reserves_.front());
    reserves_.pop_front();
    each.was_sent = true;
    batch.timeout = std::min(batch.timeout, until(each.deadline, now));
    batch.orders.reserve.push_back(each.order);
    flight.reserves.push_back(std::move(each));
  }
}

void OrderQueue::take_reports(Batch& batch, InFlight& flight, TimePoint now) {
  while (!reports_.empty() && flight.reports.size() < kMaxBatch) {
    Report report = std::move(reports_.front());
    reports_.pop_front();
    if (!report.first_sent) report.first_sent = now;
    if (report.is_release) {
      batch.orders.release.push_back(report.order.id);
    } else {
      batch.orders.settle.push_back(report.order);
    }
    flight.reports.push_back(std::move(report));
  }
  reports_in_flight_ += flight.reports.size();
}

std::optional<TimePoint> OrderQueue::renew_at() const {
  if (open_.empty() || lease_ == milliseconds::zero()) return std::nullopt;
  return renewed_ + lease_ / kRenewalsPerLease;
}

void OrderQueue::take_renewals(Batch& batch, TimePoint now) {
  const auto due = renew_at();
  if (!due || *due > now) return;
  renewed_ = now;
  batch.orders.renew.assign(open_.begin(), open_.end());
}

std::optional<OrderQueue::Batch> OrderQueue::next(TimePoint now) {
  if (now < not_before_ || in_flight_.size() >= kMaxInFlight) return std::nullopt;
  const auto renewal = renew_at();
  if (reserves_.empty() && reports_.empty() && (!renewal || *renewal > now)) return std::nullopt;
  Batch batch{++last_batch_, {}, kReportTimeout};
  InFlight flight;
  take_renewals(batch, now);
  take_reports(batch, flight, now);
  take_reserves(batch, flight, now);
  in_flight_.emplace(batch.number, std::move(flight));
  return batch;
}

OrderQueue::InFlight OrderQueue::land(std::uint64_t batch) {
  const auto found = in_flight_.find(batch);
  if (found == in_flight_.end()) return {};
  InFlight flight = std::move(found->second);
  in_flight_.erase(found);
  reports_in_flight_ -= flight.reports.size();
  return flight;
}

OrderQueue::Answered OrderQueue::on_reply(std::uint64_t batch, messages::BudgetVerdicts verdicts, TimePoint now) {
  InFlight flight = land(batch);
  pause_ = kFirstPause;
  not_before_ = {};
  if (verdicts.lease_ms > 0) lease_ = milliseconds(verdicts.lease_ms);
  Answered answered;
  for (const Report& report : flight.reports) {
    if (!report.is_release) answered.settled.push_back({report.since});
  }
  std::unordered_map<std::string, messages::BudgetVerdict> by_id;
  for (messages::BudgetVerdict& verdict : verdicts.reserve) {
    std::string id = verdict.id;
    by_id.insert_or_assign(std::move(id), std::move(verdict));
  }
  for (const Reserve& reserve : flight.reserves) {
    const std::string& id = reserve.order.id;
    // Its release is on its way.
    if (abandoned_.erase(id) > 0) continue;
    const auto verdict = by_id.find(id);
    if (verdict == by_id.end()) {
      answered.outcomes.push_back({id, fail(gone("it left the order out"))});
      continue;
    }
    if (verdict->second.is_granted) {
      if (open_.empty()) renewed_ = now;
      open_.insert(id);
    }
    answered.outcomes.push_back({id, std::move(verdict->second)});
  }
  return answered;
}

std::vector<OrderQueue::Outcome> OrderQueue::on_failure(std::uint64_t batch, const Error& error, TimePoint now) {
  InFlight flight = land(batch);
  not_before_ = now + pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
  std::vector<Outcome> outcomes;
  for (Reserve& reserve : std::views::reverse(flight.reserves)) {
    if (abandoned_.erase(reserve.order.id) > 0) continue;
    if (now < reserve.deadline) {
      reserves_.push_front(std::move(reserve));
      continue;
    }
    outcomes.push_back({reserve.order.id, fail(gone(error.message))});
    release(reserve.order.id, now);
  }
  for (Report& report : std::views::reverse(flight.reports)) {
    if (now - *report.first_sent >= kRepeatReports) {
      reports_dropped_++;
    } else {
      reports_.push_front(std::move(report));
    }
  }
  return outcomes;
}

std::vector<OrderQueue::Outcome> OrderQueue::expire(TimePoint now) {
  std::vector<Outcome> outcomes;
  std::vector<std::string> sent;
  std::erase_if(reserves_, [&](const Reserve& reserve) {
    if (now < reserve.deadline) return false;
    outcomes.push_back({reserve.order.id, fail(gone(""))});
    if (reserve.was_sent) sent.push_back(reserve.order.id);
    return true;
  });
  for (std::string& id : sent) release(std::move(id), now);
  return outcomes;
}

std::optional<TimePoint> OrderQueue::wake_at() const {
  std::optional<TimePoint> at;
  const auto consider = [&at](TimePoint time) { at = at ? std::min(*at, time) : time; };
  for (const Reserve& reserve : reserves_) consider(reserve.deadline);
  const bool may_send = in_flight_.size() < kMaxInFlight;
  if (may_send && (!reserves_.empty() || !reports_.empty())) consider(not_before_);
  if (const auto renewal = renew_at(); may_send && renewal) consider(std::max(*renewal, not_before_));
  return at;
}

}  // namespace parley::budget
