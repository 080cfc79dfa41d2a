#include "services/cli/top/columns.hpp"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>

#include "services/cli/figures.hpp"

namespace parley::cli::top {
namespace {

SortKey number(std::uint64_t value) { return static_cast<double>(value); }

/// Worst first when sorted downwards.
SortKey health_key(const Row& row) {
  constexpr std::array<std::string_view, 7> kFromGoodToBad{"healthy", "starting",    "draining", "degraded",
                                                           "stopped", "quarantined", "unhealthy"};
  const auto found = std::ranges::find(kFromGoodToBad, row.health);
  return static_cast<double>(found - kFromGoodToBad.begin());
}

std::optional<Color> no_color(const Row& /*row*/) { return std::nullopt; }
std::optional<Color> color_of_health(const Row& row) { return health_color(row.health); }
std::optional<Color> color_of_errors(const Row& row) {
  return row.error_rate.value_or(0) > 0 ? std::optional(Color::red) : std::nullopt;
}
std::optional<Color> color_of_waiting(const Row& row) {
  return row.waiting > 0 ? std::optional(Color::yellow) : std::nullopt;
}

// Columns that both tables have; the rank is that of the agent types' table.
constexpr ColumnSpec kHealth{"HEALTH",
                             "state of health; the line of alerts says why it is not healthy",
                             Align::left,
                             90,
                             [](const Row& row) { return row.health.empty() ? std::string("-") : row.health; },
                             &health_key,
                             &color_of_health};
constexpr ColumnSpec kActive{"ACTIVE",
                             "activations: live instances of agents",
                             Align::right,
                             20,
                             [](const Row& row) { return format_count(row.activations); },
                             [](const Row& row) { return number(row.activations); },
                             &no_color};
constexpr ColumnSpec kRate{"RATE",
                           "messages a second",
                           Align::right,
                           85,
                           [](const Row& row) { return format_rate(row.rate); },
                           [](const Row& row) { return SortKey(row.rate.value_or(0)); },
                           &no_color};
constexpr ColumnSpec kP50{"P50",
                          "median time of recent turns, from arrival to end",
                          Align::right,
                          50,
                          [](const Row& row) { return format_latency(row.p50_us); },
                          [](const Row& row) { return number(row.p50_us); },
                          &no_color};
constexpr ColumnSpec kP95{"P95",
                          "the time that 95 of 100 recent turns stayed within",
                          Align::right,
                          80,
                          [](const Row& row) { return format_latency(row.p95_us); },
                          [](const Row& row) { return number(row.p95_us); },
                          &no_color};
constexpr ColumnSpec kInflight{"INFL",
                               "messages at the workers that are not finished",
                               Align::right,
                               60,
                               [](const Row& row) { return format_count(row.inflight); },
                               [](const Row& row) { return number(row.inflight); },
                               &no_color};
constexpr ColumnSpec kWaiting{"WAIT",
                              "messages that wait for their turn or for a worker",
                              Align::right,
                              65,
                              [](const Row& row) { return format_count(row.waiting); },
                              [](const Row& row) { return number(row.waiting); },
                              &color_of_waiting};
constexpr ColumnSpec kErrors{"ERR",
                             "errors so far; red while they come",
                             Align::right,
                             70,
                             [](const Row& row) { return format_count(row.errors); },
                             [](const Row& row) { return number(row.errors); },
                             &color_of_errors};
constexpr ColumnSpec kTokens{"TOK/S",
                             "tokens a second, read and written by models",
                             Align::right,
                             40,
                             [](const Row& row) { return format_rate(row.token_rate); },
                             [](const Row& row) { return SortKey(row.token_rate.value_or(0)); },
                             &no_color};
constexpr ColumnSpec kCost{"COST",
                           "what the models have cost since the workers started",
                           Align::right,
                           45,
                           [](const Row& row) { return format_cost(row.cost_nano_usd); },
                           [](const Row& row) { return number(row.cost_nano_usd); },
                           &no_color};
constexpr ColumnSpec kRestarts{"RST",
                               "restarts by the supervisor; - where there is none",
                               Align::right,
                               30,
                               [](const Row& row) { return row.restarts ? format_count(*row.restarts) : "-"; },
                               [](const Row& row) { return number(row.restarts.value_or(0)); },
                               &no_color};

constexpr ColumnSpec kRequests{"REQ",
                               "requests so far",
                               Align::right,
                               85,
                               [](const Row& row) { return format_count(row.requests); },
                               [](const Row& row) { return number(row.requests); },
                               &no_color};
constexpr ColumnSpec kAllTokens{"TOKENS",
                                "read and written by models since the workers started",
                                Align::right,
                                40,
                                [](const Row& row) { return format_count(row.tokens); },
                                [](const Row& row) { return number(row.tokens); },
                                &no_color};
constexpr ColumnSpec kWorkers{"WRK",
                              "workers that host it",
                              Align::right,
                              35,
                              [](const Row& row) { return format_count(row.workers); },
                              [](const Row& row) { return number(row.workers); },
                              &no_color};
constexpr ColumnSpec kHosted{"AGENT TYPES",
                             "what it hosts",
                             Align::left,
                             10,
                             [](const Row& row) { return row.types; },
                             [](const Row&) { return SortKey(); },
                             &no_color};
constexpr ColumnSpec kLag{"LAG",
                          "how late its loop runs: a handler keeps it to itself",
                          Align::right,
                          55,
                          [](const Row& row) { return format_latency(row.loop_lag_ms * 1000); },
                          [](const Row& row) { return number(row.loop_lag_ms); },
                          &no_color};
constexpr ColumnSpec kMemory{"RSS",
                             "memory in use",
                             Align::right,
                             52,
                             [](const Row& row) { return format_bytes(row.rss_bytes); },
                             [](const Row& row) { return number(row.rss_bytes); },
                             &no_color};
constexpr ColumnSpec kUptime{"UP",
                             "since it connected",
                             Align::right,
                             25,
                             [](const Row& row) { return format_age(std::chrono::milliseconds(row.uptime_ms)); },
                             [](const Row& row) { return number(row.uptime_ms); },
                             &no_color};

constexpr ColumnSpec name_column(std::string_view title, std::string_view help) {
  return {
      title,    help, Align::left, 100, [](const Row& row) { return row.name; }, [](const Row&) { return SortKey(); },
      &no_color};
}

constexpr ColumnSpec kTypeName = name_column("AGENT TYPE", "its name");
constexpr ColumnSpec kWorkerName = name_column("WORKER", "its name");

constexpr std::array kTypeColumns{kTypeName, kHealth,  kWorkers, kActive, kRate, kP50,     kP95,
                                  kInflight, kWaiting, kErrors,  kTokens, kCost, kRestarts};
constexpr std::array kWorkerColumns{kWorkerName, kHealth, kHosted, kActive,   kRate, kP95,    kInflight, kWaiting,
                                    kErrors,     kTokens, kCost,   kRestarts, kLag,  kMemory, kUptime};
constexpr std::array kPsTypeColumns{kTypeName, kHealth, kWorkers,  kActive,  kRequests,  kErrors,
                                    kP50,      kP95,    kInflight, kWaiting, kAllTokens, kCost};
constexpr std::array kPsWorkerColumns{kWorkerName, kHealth, kHosted, kActive, kInflight,
                                      kWaiting,    kP95,    kLag,    kMemory, kUptime};

}  // namespace

std::span<const ColumnSpec> type_columns() { return kTypeColumns; }
std::span<const ColumnSpec> worker_columns() { return kWorkerColumns; }
std::span<const ColumnSpec> ps_type_columns() { return kPsTypeColumns; }
std::span<const ColumnSpec> ps_worker_columns() { return kPsWorkerColumns; }

std::optional<Color> health_color(std::string_view health) {
  if (health == "healthy") return Color::green;
  if (health == "unhealthy" || health == "quarantined") return Color::red;
  if (health == "degraded" || health == "starting" || health == "draining") return Color::yellow;
  if (health == "stopped") return Color::dim;
  return std::nullopt;
}

}  // namespace parley::cli::top
