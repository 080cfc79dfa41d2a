#include "tests/bench/report.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <tuple>

namespace parley::bench {
namespace {

using Key = std::tuple<std::string, std::uint64_t, std::uint32_t, double, std::string>;

Key key_of(const Row& row) { return {row.test_case, row.payload_bytes, row.window, row.load_percent, row.system}; }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double median_of(const std::vector<const Row*>& rows, double Row::* field) {
  std::vector<double> values;
  for (const Row* row : rows) values.push_back(row->*field);
  return median(values);
}

const Row* find(const std::vector<Row>& rows, const std::string& test_case, const std::string& system,
                std::uint64_t payload_bytes, std::uint32_t window) {
  const auto it = std::ranges::find_if(rows, [&](const Row& row) {
    return row.test_case == test_case && row.system == system && row.payload_bytes == payload_bytes &&
           row.window == window;
  });
  return it == rows.end() ? nullptr : &*it;
}

void add_ratio(std::vector<Target>& out, const std::string& name, const Row* ours, const Row* theirs,
               double Row::* field, double bound, bool is_minimum) {
  if (ours != nullptr && theirs != nullptr) out.push_back({name, ours->*field / (theirs->*field), bound, is_minimum});
}

/// The median over all rounds of what `system` reached in one by what `peer` reached in the same one. What changes on a
/// machine from one minute to the next changes both.
std::optional<double> ratio_by_round(const std::vector<Row>& runs, const Row& about, const std::string& system,
                                     const std::string& peer) {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (const Row& run : runs) {
    if (title_of(run) != title_of(about)) continue;
    if (run.system == system) ours.push_back(run.per_second);
    if (run.system == peer) theirs.push_back(run.per_second);
  }
  if (ours.empty() || ours.size() != theirs.size()) return std::nullopt;
  std::ranges::transform(ours, theirs, ours.begin(), std::divides());
  return median(std::move(ours));
}

bool is_behind_offer(const Row& row) { return row.per_second < 0.95 * row.offered_per_second; }

}  // namespace

std::string title_of(const Row& row) {
  std::string title = row.test_case + " · " + std::to_string(row.payload_bytes) + " B";
  if (row.load_percent > 0) return title + fmt::format(" · {:.0f} % load", row.load_percent);
  return title + " · window " + std::to_string(row.window);
}

std::string readable(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.2f} M", per_second / 1e6);
  if (per_second >= 1e3) return fmt::format("{:.1f} k", per_second / 1e3);
  return fmt::format("{:.0f}", per_second);
}

std::vector<Row> medians(const std::vector<Row>& runs) {
  std::map<Key, std::vector<const Row*>> groups;
  std::vector<Key> order;
  for (const Row& run : runs) {
    auto& group = groups[key_of(run)];
    if (group.empty()) order.push_back(key_of(run));
    group.push_back(&run);
  }
  std::vector<Row> rows;
  for (const Key& key : order) {
    const auto& group = groups[key];
    Row row = *group.front();
    row.per_second = median_of(group, &Row::per_second);
    row.p50_us = median_of(group, &Row::p50_us);
    row.p99_us = median_of(group, &Row::p99_us);
    row.p999_us = median_of(group, &Row::p999_us);
    row.broker_cpu_us_per_message = median_of(group, &Row::broker_cpu_us_per_message);
    const auto [least, most] = std::ranges::minmax(group, {}, [](const Row* run) { return run->per_second; });
    row.per_second_min = least->per_second;
    row.per_second_max = most->per_second;
    row.lost = row.duplicated = 0;
    for (const Row* run : group) {
      row.lost += run->lost;
      row.duplicated += run->duplicated;
    }
    rows.push_back(row);
  }
  return rows;
}

std::vector<Target> targets(const std::vector<Row>& rows, const std::vector<Row>& runs) {
  std::vector<Target> out;
  const Row* link = find(rows, "round_trip", "parley", 100, 1024);
  const Row* runtime = find(rows, "runtime_round_trip", "parley", 100, 1024);
  add_ratio(out, "link level / plain relay, window 1024, 100 B", link, find(rows, "round_trip", "relay", 100, 1024),
            &Row::per_second, 4.0, true);
  add_ratio(out, "link level / NATS, window 1024, 100 B", link, find(rows, "round_trip", "nats", 100, 1024),
            &Row::per_second, 4.0, true);
  add_ratio(out, "link level / plain relay, unloaded p50", find(rows, "round_trip", "parley", 100, 1),
            find(rows, "round_trip", "relay", 100, 1), &Row::p50_us, 1.25, false);
  if (runtime != nullptr) out.push_back({"runtime level, requests/s", runtime->per_second, 300'000, true});
  add_ratio(out, "runtime level / NATS, window 1024, 100 B", runtime,
            find(rows, "runtime_round_trip", "nats", 100, 1024), &Row::per_second, 1.0, true);
  for (const std::uint32_t window : {64U, 1024U}) {
    const Row* const with = find(rows, "metrics_overhead", "metrics", 100, window);
    if (with == nullptr) continue;
    const auto ratio = ratio_by_round(runs, *with, "metrics", "plain");
    if (ratio)
      out.push_back({fmt::format("with / without metrics, window {}, requests/s", window), *ratio, 0.97, true});
  }
  double lost = 0;
  for (const Row& row : rows) {
    if (row.system == "parley") lost += static_cast<double>(row.lost + row.duplicated);
  }
  if (!rows.empty()) out.push_back({"Parley: messages lost or duplicated", lost, 0, false});
  return out;
}

std::string table(const std::vector<Row>& rows) {
  std::string out =
      fmt::format("{:<20} {:<7} {:>7} {:>6} {:>5} {:>10} {:>9} {:>9} {:>9} {:>8} {:>5} {:>4}\n", "case", "system",
                  "payload", "window", "load", "per second", "p50 µs", "p99 µs", "p99.9 µs", "cpu µs", "lost", "dup");
  std::string previous;
  bool is_any_behind = false;
  for (const Row& row : rows) {
    if (!previous.empty() && previous != title_of(row)) out += '\n';
    previous = title_of(row);
    const bool is_behind = is_behind_offer(row);
    is_any_behind = is_any_behind || is_behind;
    const std::string load =
        row.load_percent > 0 ? fmt::format("{:.0f}%{}", row.load_percent, is_behind ? "*" : "") : std::string("-");
    out += fmt::format("{:<20} {:<7} {:>7} {:>6} {:>5} {:>10} {:>8.1f} {:>8.1f} {:>8.1f} {:>7.2f} {:>5} {:>4}\n",
                       row.test_case, row.system, row.payload_bytes, row.window, load, readable(row.per_second),
                       row.p50_us, row.p99_us, row.p999_us, row.broker_cpu_us_per_message, row.lost, row.duplicated);
  }
  if (is_any_behind) out += "* less than 95 % of what was to be sent; its latencies are those of a queue that grows\n";
  return out;
}

std::string table(const std::vector<Fact>& facts) {
  std::string out;
  for (const Fact& fact : facts) {
    if (fact.bound == 0) {
      out += fmt::format("{:<58} {:>10.2f} {:<6}\n", fact.name, fact.value, fact.unit);
      continue;
    }
    out += fmt::format("{:<58} {:>10.2f} {:<6} {} {:g}\n", fact.name, fact.value, fact.unit,
                       fact.value <= fact.bound ? "ok, at most" : "MISSED, at most", fact.bound);
  }
  return out;
}

std::string table(const std::vector<Target>& targets) {
  std::string out;
  for (const Target& target : targets) {
    out +=
        fmt::format("{:<52} {:>12.2f}  {} {} {:g}\n", target.name, target.value,
                    target.is_met() ? "ok,    " : "MISSED,", target.is_minimum ? "at least" : "at most", target.bound);
  }
  return out;
}

std::string json_lines(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    const nlohmann::ordered_json object{{"case", row.test_case},
                                        {"system", row.system},
                                        {"payload_bytes", row.payload_bytes},
                                        {"window", row.window},
                                        {"load_percent", row.load_percent},
                                        {"offered_per_second", row.offered_per_second},
                                        {"per_second", row.per_second},
                                        {"per_second_min", row.per_second_min},
                                        {"per_second_max", row.per_second_max},
                                        {"p50_us", row.p50_us},
                                        {"p99_us", row.p99_us},
                                        {"p999_us", row.p999_us},
                                        {"broker_cpu_us_per_message", row.broker_cpu_us_per_message},
                                        {"lost", row.lost},
                                        {"duplicated", row.duplicated}};
    out += object.dump() + "\n";
  }
  return out;
}

std::string json_lines(const std::vector<Fact>& facts) {
  std::string out;
  for (const Fact& fact : facts) {
    nlohmann::ordered_json object{{"fact", fact.name}, {"unit", fact.unit}, {"value", fact.value}};
    if (fact.bound != 0) object.update({{"at_most", fact.bound}, {"is_met", fact.value <= fact.bound}});
    out += object.dump() + "\n";
  }
  return out;
}

std::string json_lines(const std::vector<Target>& targets) {
  std::string out;
  for (const Target& target : targets) {
    const nlohmann::ordered_json object{{"target", target.name},
                                        {"value", target.value},
                                        {target.is_minimum ? "at_least" : "at_most", target.bound},
                                        {"is_met", target.is_met()}};
    out += object.dump() + "\n";
  }
  return out;
}

}  // namespace parley::bench
