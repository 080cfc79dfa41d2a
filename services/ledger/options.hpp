// The command line of parley-ledger, and the file that it names. Main thread, before anything else runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agents/budget/budgets_config.hpp"
#include "monitoring/log.hpp"
#include "services/config/command_line.hpp"
#include "services/config/problems.hpp"
#include "services/config/yaml.hpp"
#include "services/ledger/price_table.hpp"

namespace parley::ledger {

struct LedgerOptions {
  budget::BudgetsConfig budgets;
  PriceTable prices;
  std::filesystem::path state_dir;
  /// One endpoint per shard; never empty.
  std::vector<std::string> brokers;
  bool is_insecure_allowed = false;
  /// How long the start waits for a broker; none: as long as it takes.
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::string metrics_address = "127.0.0.1";
  std::uint16_t metrics_port = 0;
  monitoring::LogOptions log;
};

/// Flags win over PARLEY_BROKER, that over the file, that over the defaults.
[[nodiscard]] std::expected<LedgerOptions, config::EarlyExit> read_options(int argc, const char* const* argv);

/// The `budgets:` of a suite, of an agents file, or of a file that has nothing but them (and `broker`).
struct LedgerFile {
  budget::BudgetsConfig budgets;
  std::optional<std::string> broker;
  bool is_insecure_allowed = false;
};
[[nodiscard]] config::Loaded<LedgerFile> read_ledger_file(const config::YamlDocument& document);

}  // namespace parley::ledger
