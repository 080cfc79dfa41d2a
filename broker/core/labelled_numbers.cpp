#include "broker/core/labelled_numbers.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "broker/core/health_watch.hpp"
#include "broker/core/reports.hpp"

namespace parley::broker {
namespace {

std::string series(std::string_view name, std::string_view label, std::string_view value) {
  std::string text(name);
  text.append("{").append(label).append("=\"").append(value).append("\"}");
  return text;
}

void add_workers(const State& state, std::vector<wire::NamedNumber>& numbers) {
  for (const HealthState health : all_health_states()) {
    const auto count = std::ranges::count_if(state.sessions.all(), [health](const auto& session) {
      return session && session->is_worker && session->health.state == health;
    });
    numbers.push_back({series("parley_broker_workers", "state", to_string(health)), static_cast<std::uint64_t>(count)});
  }
}

/// From good to bad, so that the worst of several is the largest. METRICS.md tells the numbers.
constexpr std::array kFromGoodToBad{HealthState::healthy, HealthState::starting,    HealthState::degraded,
                                    HealthState::stopped, HealthState::quarantined, HealthState::unhealthy};

std::uint64_t health_number(HealthState state) {
  return static_cast<std::uint64_t>(std::ranges::find(kFromGoodToBad, state) - kFromGoodToBad.begin());
}

struct TypeNumbers {
  std::string_view name;
  std::uint64_t workers = 0;
  std::uint64_t health = 0;
  std::uint64_t inflight = 0;
  std::uint64_t mailbox_depth = 0;
  std::uint64_t parked = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;

  TypeNumbers& operator+=(const TypeNumbers& more) {
    workers += more.workers;
    health = std::max(health, more.health);
    inflight += more.inflight;
    mailbox_depth += more.mailbox_depth;
    parked += more.parked;
    requests += more.requests;
    failures += more.failures;
    return *this;
  }
};

struct TypeMetric {
  std::string_view name;
  std::uint64_t TypeNumbers::* value;
};
constexpr std::array kTypeMetrics{TypeMetric{"parley_broker_type_workers", &TypeNumbers::workers},
                                  TypeMetric{"parley_broker_type_health", &TypeNumbers::health},
                                  TypeMetric{"parley_broker_type_inflight", &TypeNumbers::inflight},
                                  TypeMetric{"parley_broker_mailbox_depth", &TypeNumbers::mailbox_depth},
                                  TypeMetric{"parley_broker_type_parked", &TypeNumbers::parked},
                                  TypeMetric{"parley_broker_type_requests_total", &TypeNumbers::requests},
                                  TypeMetric{"parley_broker_type_failures_total", &TypeNumbers::failures}};

std::vector<TypeNumbers> rows_of_types(const State& state) {
  std::vector<TypeNumbers> rows;
  for (const auto& type : state.registry.all()) {
    if (!type || !type->is_known()) continue;
    const TypeNumbers row{.name = type->name,
                          .workers = type->hostings.size(),
                          .health = health_number(verdict_on(state, *type).state),
                          .inflight = type->inflight,
                          .mailbox_depth = mailbox_depth(state, *type),
                          .parked = type->parked.count,
                          .requests = type->requests,
                          .failures = type->failures};
    if (rows.size() < kMaxTypesWithSeries) {
      rows.push_back(row);
      continue;
    }
    if (rows.size() == kMaxTypesWithSeries) rows.push_back({.name = "other"});
    rows.back() += row;
  }
  return rows;
}

/// One metric after the other, as the page groups them.
void add_types(const State& state, std::vector<wire::NamedNumber>& numbers) {
  const std::vector<TypeNumbers> rows = rows_of_types(state);
  for (const TypeMetric& metric : kTypeMetrics) {
    for (const TypeNumbers& row : rows) {
      numbers.push_back({series(metric.name, "agent_type", row.name), row.*metric.value});
    }
  }
}

void add_outcomes(const State& state, std::vector<wire::NamedNumber>& numbers) {
  constexpr std::string_view kName = "parley_broker_outcomes_total";
  const auto& outcomes = state.counters.outcomes;
  numbers.push_back({series(kName, "code", "ok"), outcomes.front()});
  for (const ErrorCode code : all_error_codes()) {
    numbers.push_back({series(kName, "code", to_string(code)), outcomes.at(static_cast<std::size_t>(code))});
  }
  numbers.push_back({series(kName, "code", "other"), outcomes.back()});
}

}  // namespace

std::vector<wire::NamedNumber> labelled_numbers_of(const State& state) {
  std::vector<wire::NamedNumber> numbers = Reports(state).numbers();
  add_workers(state, numbers);
  add_types(state, numbers);
  add_outcomes(state, numbers);
  return numbers;
}

}  // namespace parley::broker
