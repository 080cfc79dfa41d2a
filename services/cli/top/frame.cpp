#include "services/cli/top/frame.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <string_view>

#include "services/cli/figures.hpp"
#include "services/cli/text_list.hpp"

namespace parley::cli::top {
namespace {

std::uint64_t number_named(const wire::PsReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.numbers, name, &wire::NamedNumber::name);
  return found == report.numbers.end() ? 0 : found->value;
}

/// How bad a state is; the order of alerts.
int severity(std::string_view health) {
  if (health == "unhealthy") return 3;
  if (health == "quarantined") return 2;
  return health == "degraded" ? 1 : 0;
}

/// A pod has another name on the bus than its place in the workload.
const std::string& peer_name_of(const messages::SupervisedProcess& process) {
  return process.peer.empty() ? process.name : process.peer;
}

void add_restarts(Frame& frame, const wire::PsReport& report,
                  const std::vector<messages::SupervisorReport>& supervisors) {
  std::map<std::string, std::uint64_t, std::less<>> by_name;
  for (const auto& supervisor : supervisors) {
    for (const auto& process : supervisor.processes) by_name[peer_name_of(process)] += process.restarts;
  }
  for (Row& worker : frame.workers) {
    if (const auto known = by_name.find(worker.name); known != by_name.end()) worker.restarts = known->second;
  }
  for (const wire::PsPeer& peer : report.peers) {
    const auto known = by_name.find(peer.name);
    if (known == by_name.end()) continue;
    for (Row& type : frame.types) {
      if (std::ranges::find(peer.types, type.name) != peer.types.end()) {
        type.restarts = type.restarts.value_or(0) + known->second;
      }
    }
  }
}

std::vector<std::string> alerts_of(const Frame& frame, const wire::PsReport& report,
                                   const std::vector<messages::SupervisorReport>& supervisors) {
  std::vector<std::pair<int, std::string>> found;
  const auto add = [&found](std::string_view what, const Row& row) {
    const int level = severity(row.health);
    if (level == 0) return;
    std::string text = fmt::format("{} {} is {}", what, row.name, row.health);
    if (!row.health_reason.empty()) text += ": " + row.health_reason;
    found.emplace_back(level, std::move(text));
  };
  for (const Row& worker : frame.workers) add("worker", worker);
  for (const Row& type : frame.types) add("agent type", type);
  for (const wire::PsQuarantine& quarantine : report.quarantines) {
    const bool is_type = std::ranges::find(report.types, quarantine.key, &wire::PsType::name) != report.types.end();
    if (is_type) continue;  // Its row says so.
    found.emplace_back(2, fmt::format("{} is quarantined: {} ({} refused)", quarantine.key, quarantine.reason,
                                      format_count(quarantine.refused)));
  }
  for (const auto& supervisor : supervisors) {
    for (const auto& process : supervisor.processes) {
      const bool has_session =
          std::ranges::find(frame.workers, peer_name_of(process), &Row::name) != frame.workers.end();
      if (process.state == "running" || process.state == "stopped" || has_session) continue;
      const int level = process.state == "quarantined" ? 2 : 1;
      found.emplace_back(level, fmt::format("process {} is {}{}", process.name, process.state,
                                            process.reason.empty() ? "" : ": " + process.reason));
    }
  }
  std::ranges::stable_sort(found, std::ranges::greater(), &std::pair<int, std::string>::first);
  std::vector<std::string> alerts;
  alerts.reserve(found.size());
  for (auto& [level, text] : found) alerts.push_back(std::move(text));
  return alerts;
}

}  // namespace

Frame Sampler::add(const wire::PsReport& report, const std::vector<messages::SupervisorReport>& supervisors,
                   TimePoint now) {
  // A broker that was started anew counts from 0.
  const bool is_same_broker = last_at_ != TimePoint{} && report.shard_epoch == epoch_;
  seconds_ = is_same_broker ? std::chrono::duration<double>(now - last_at_).count() : 0;
  current_.clear();

  Frame frame;
  for (const wire::PsType& type : report.types) frame.types.push_back(row_of(type));
  for (const wire::PsPeer& peer : report.peers) {
    if (!peer.types.empty()) frame.workers.push_back(row_of(peer));
  }
  frame.header = header_of(report);
  add_restarts(frame, report, supervisors);
  frame.alerts = alerts_of(frame, report, supervisors);

  epoch_ = report.shard_epoch;
  last_at_ = now;
  last_ = std::move(current_);
  return frame;
}

std::optional<double> Sampler::rate_of(const std::string& key, std::uint64_t value) {
  current_[key] += value;  // Two peers may bear one name.
  const auto before = last_.find(key);
  if (seconds_ <= 0 || before == last_.end() || current_[key] < before->second) return std::nullopt;
  return static_cast<double>(current_[key] - before->second) / seconds_;
}

Row Sampler::row_of(const wire::PsType& type) {
  Row row;
  row.name = type.name;
  row.health = type.health;
  row.health_reason = type.health_reason;
  row.workers = type.workers;
  row.activations = type.activations;
  row.inflight = type.inflight;
  row.waiting = std::max(type.mailbox_depth, type.parked);
  row.requests = type.requests;
  row.errors = type.failures;
  row.p50_us = type.latency_p50_us;
  row.p95_us = type.latency_p95_us;
  row.tokens = type.input_tokens + type.output_tokens;
  row.cost_nano_usd = type.cost_nano_usd;
  row.rate = rate_of("type requests " + type.name, type.requests);
  row.error_rate = rate_of("type errors " + type.name, type.failures);
  row.token_rate = rate_of("type tokens " + type.name, row.tokens);
  return row;
}

Row Sampler::row_of(const wire::PsPeer& peer) {
  Row row;
  row.name = peer.name;
  row.health = peer.is_draining && peer.health == "healthy" ? "draining" : peer.health;
  row.health_reason = peer.health_reason;
  row.types = comma_list(peer.types);
  row.workers = 1;
  row.activations = peer.activations;
  row.inflight = peer.inflight;
  row.uptime_ms = peer.uptime_ms;
  row.rss_bytes = peer.vitals.rss_bytes;
  row.loop_lag_ms = peer.vitals.loop_lag_ms;
  for (const wire::TypeVitals& type : peer.vitals.types) {
    row.waiting += type.waiting;
    row.errors += type.failures + type.model_failures;
    row.p50_us = std::max(row.p50_us, type.latency_p50_us);
    row.p95_us = std::max(row.p95_us, type.latency_p95_us);
    row.tokens += type.input_tokens + type.output_tokens;
    row.cost_nano_usd += type.cost_nano_usd;
    row.requests += type.successes + type.failures + type.model_failures;
  }
  // By incarnation, since a restarted worker counts from 0.
  const std::string key = fmt::format("{} {}", peer.name, peer.incarnation);
  if (peer.has_vitals) {
    row.rate = rate_of("worker turns " + key, row.requests);
    row.error_rate = rate_of("worker errors " + key, row.errors);
    row.token_rate = rate_of("worker tokens " + key, row.tokens);
  }
  return row;
}

Header Sampler::header_of(const wire::PsReport& report) {
  Header header;
  header.shard_epoch = report.shard_epoch;
  header.uptime_ms = report.uptime_ms;
  header.is_recovering = report.is_recovering;
  std::uint64_t tokens = 0;
  for (const wire::PsPeer& peer : report.peers) {
    if (peer.types.empty()) {
      ++header.clients;
    } else {
      ++header.workers;
      if (!peer.health.empty()) ++header.workers_by_health[peer.health];
    }
  }
  for (const wire::PsType& type : report.types) {
    header.waiting += std::max(type.mailbox_depth, type.parked);
    header.cost_nano_usd += type.cost_nano_usd;
    tokens += type.input_tokens + type.output_tokens;
  }
  header.activations = number_named(report, "parley_broker_activations");
  header.inflight = number_named(report, "parley_broker_inflight");
  header.dead_letters = number_named(report, "parley_broker_dead_letters");
  header.requests = rate_of("requests", number_named(report, "parley_broker_requests_total"));
  header.one_way = rate_of("one way", number_named(report, "parley_broker_sends_total") +
                                          number_named(report, "parley_broker_events_total"));
  header.errors = rate_of("errors", number_named(report, "parley_broker_errors_total"));
  header.dead_letter_rate = rate_of("dead letters", number_named(report, "parley_broker_dead_letters_total"));
  header.tokens = rate_of("tokens", tokens);
  return header;
}

namespace {

template <class T>
nlohmann::json or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json common_json(const Row& row) {
  return {{"name", row.name},
          {"health", row.health},
          {"health_reason", row.health_reason},
          {"activations", row.activations},
          {"inflight", row.inflight},
          {"waiting", row.waiting},
          {"requests", row.requests},
          {"errors", row.errors},
          {"latency_p50_us", row.p50_us},
          {"latency_p95_us", row.p95_us},
          {"tokens", row.tokens},
          {"cost_usd", static_cast<double>(row.cost_nano_usd) / 1e9},
          {"restarts", or_null(row.restarts)},
          {"per_second", or_null(row.rate)},
          {"errors_per_second", or_null(row.error_rate)},
          {"tokens_per_second", or_null(row.token_rate)}};
}

nlohmann::json to_json(const Header& header) {
  return {{"shard_epoch", header.shard_epoch},
          {"uptime_ms", header.uptime_ms},
          {"is_recovering", header.is_recovering},
          {"workers", header.workers},
          {"workers_by_health", header.workers_by_health},
          {"clients", header.clients},
          {"activations", header.activations},
          {"inflight", header.inflight},
          {"waiting", header.waiting},
          {"dead_letters", header.dead_letters},
          {"cost_usd", static_cast<double>(header.cost_nano_usd) / 1e9},
          {"requests_per_second", or_null(header.requests)},
          {"one_way_per_second", or_null(header.one_way)},
          {"errors_per_second", or_null(header.errors)},
          {"dead_letters_per_second", or_null(header.dead_letter_rate)},
          {"tokens_per_second", or_null(header.tokens)}};
}

}  // namespace

nlohmann::json to_json(const Frame& frame) {
  nlohmann::json object{{"broker", to_json(frame.header)},
                        {"types", nlohmann::json::array()},
                        {"workers", nlohmann::json::array()},
                        {"alerts", frame.alerts}};
  for (const Row& row : frame.types) {
    object["types"].push_back(common_json(row));
    object["types"].back()["workers"] = row.workers;
  }
  for (const Row& row : frame.workers) {
    nlohmann::json worker = common_json(row);
    worker["types"] = row.types;
    worker["rss_bytes"] = row.rss_bytes;
    worker["loop_lag_ms"] = row.loop_lag_ms;
    worker["uptime_ms"] = row.uptime_ms;
    object["workers"].push_back(std::move(worker));
  }
  return object;
}

}  // namespace parley::cli::top
