// What a benchmark run found: medians per case and system, as a table, as JSON lines and as a picture. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace parley::bench {

struct Row {
  std::string test_case;  ///< for example `round_trip`
  std::string system;     ///< parley, relay, nats or bundled (a relay that forwards bundles unread)
  std::uint64_t payload_bytes = 0;
  std::uint32_t window = 0;
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double broker_cpu_us_per_message = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  double load_percent = 0;        ///< open loop: share of this system's saturation; 0 for closed loop
  double offered_per_second = 0;  ///< open loop: what was to be sent
  double per_second_min = 0;
  double per_second_max = 0;
};

/// A figure that is not a rate, against its bound: bytes per directory entry and the like.
struct Fact {
  std::string name;
  std::string unit;
  double value = 0;
  double bound = 0;  ///< at most this; 0: nothing is promised
};

/// A ratio that the project promises.
struct Target {
  std::string name;
  double value = 0;
  double bound = 0;
  bool is_minimum = true;  ///< value must be at least (true) or at most (false) the bound
  [[nodiscard]] bool is_met() const { return is_minimum ? value >= bound : value <= bound; }
};

/// One row per case and system: the median of every figure, the sum of lost and duplicated.
[[nodiscard]] std::vector<Row> medians(const std::vector<Row>& runs);
/// From the medians, and from the single runs where two systems are compared round by round.
[[nodiscard]] std::vector<Target> targets(const std::vector<Row>& rows, const std::vector<Row>& runs);

[[nodiscard]] std::string table(const std::vector<Row>& rows);
[[nodiscard]] std::string table(const std::vector<Fact>& facts);
[[nodiscard]] std::string table(const std::vector<Target>& targets);
/// One object a line: rows with `case`, facts with `fact`, targets with `target`.
[[nodiscard]] std::string json_lines(const std::vector<Row>& rows);
[[nodiscard]] std::string json_lines(const std::vector<Fact>& facts);
[[nodiscard]] std::string json_lines(const std::vector<Target>& targets);
/// Rates of the closed loops, then latencies of the open ones.
[[nodiscard]] std::string svg(const std::vector<Row>& rows);

/// What a row is about, without its system.
[[nodiscard]] std::string title_of(const Row& row);
/// A rate as people write it: 1.24 M, 90.0 k.
[[nodiscard]] std::string readable(double per_second);

}  // namespace parley::bench
