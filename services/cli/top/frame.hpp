// What `parley top` shows of one moment: the broker's newest report, with rates from the difference to the one before.
// Pure values; loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/messages/supervisor.hpp"
#include "libmsg/wire/ps_report.hpp"

namespace parley::cli::top {

/// One line of the table: an agent type or a worker.
struct Row {
  std::string name;
  std::string health;  ///< name of a HealthState; empty from a broker that does not tell
  std::string health_reason;
  std::string types;  ///< of a worker, joined
  std::uint64_t workers = 0;
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t waiting = 0;  ///< in mailboxes, in the broker and at the workers
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p95_us = 0;
  std::uint64_t tokens = 0;
  std::uint64_t cost_nano_usd = 0;
  std::optional<std::uint64_t> restarts;  ///< unset without a supervisor that knows it
  std::uint64_t rss_bytes = 0;
  std::uint64_t loop_lag_ms = 0;
  std::uint64_t uptime_ms = 0;
  // A second; unset until two reports of the same broker are there.
  std::optional<double> rate;
  std::optional<double> error_rate;
  std::optional<double> token_rate;
};

struct Header {
  std::uint64_t shard_epoch = 0;
  std::uint64_t uptime_ms = 0;
  bool is_recovering = false;
  std::map<std::string, std::uint64_t> workers_by_health;
  std::uint64_t workers = 0;
  std::uint64_t clients = 0;
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t waiting = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t cost_nano_usd = 0;
  std::optional<double> requests;  ///< rates, as in Row
  std::optional<double> one_way;
  std::optional<double> errors;
  std::optional<double> dead_letter_rate;
  std::optional<double> tokens;
};

struct Frame {
  Header header;
  std::vector<Row> types;
  std::vector<Row> workers;
  /// What a person should look at, the worst first.
  std::vector<std::string> alerts;
};

/// Remembers what it needs of the last report to tell rates.
class Sampler {
 public:
  /// `supervisors`: their newest reports, one for each node that has one.
  Frame add(const wire::PsReport& report, const std::vector<messages::SupervisorReport>& supervisors, TimePoint now);

 private:
  /// Counters of the last report, by what they count.
  using Counters = std::map<std::string, std::uint64_t, std::less<>>;

  [[nodiscard]] std::optional<double> rate_of(const std::string& key, std::uint64_t value);
  Row row_of(const wire::PsType& type);
  Row row_of(const wire::PsPeer& peer);
  Header header_of(const wire::PsReport& report);

  std::uint64_t epoch_ = 0;
  TimePoint last_at_{};
  double seconds_ = 0;  ///< between the two reports; 0: there is no earlier one
  Counters last_;
  Counters current_;
};

[[nodiscard]] nlohmann::json to_json(const Frame& frame);

}  // namespace parley::cli::top
