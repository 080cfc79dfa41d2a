// The `budgets:` section of a suite or agents file (agents/README.md §Budgets describes every key). The ledger reads it
// as well as the workers: each takes its part. Values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "agents/budget/limit.hpp"
#include "services/config/reader.hpp"

namespace parley::budget {

/// What becomes of a call to a model that nobody has a price for.
enum class UnknownModel : std::uint8_t {
  refuse,  ///< it is not made
  max,     ///< it is charged like the dearest model of the table
  count,   ///< it is made, costs nothing, and its tokens are counted as unpriced
};

/// How much is reserved for a call.
enum class EstimateMode : std::uint8_t {
  learned,     ///< what calls like it have cost lately
  worst_case,  ///< what it can cost at most; its output is capped, so that a hard limit holds exactly
};

/// What becomes of a call while the ledger cannot be asked.
enum class OnLedgerLoss : std::uint8_t {
  refuse,           ///< no ledger, no call
  allow_and_count,  ///< it is made, and charged when the ledger is back
};

struct BudgetsConfig {
  // The ledger's part.
  std::vector<Limit> limits;
  std::optional<std::filesystem::path> prices;
  UnknownModel unknown_model = UnknownModel::refuse;
  EstimateMode estimate = EstimateMode::learned;
  /// Taken for the output of a call that sets no limit itself: until something is learned, and as its cap in the worst
  /// case.
  std::uint64_t max_output_tokens = 4096;
  /// A reservation that is not renewed for so long is charged as it was estimated.
  std::chrono::milliseconds lease{30'000};
  std::optional<std::uint16_t> metrics_port;

  // The workers' part.
  OnLedgerLoss on_ledger_loss = OnLedgerLoss::refuse;
  /// How long a call waits for the ledger's answer.
  std::chrono::milliseconds ledger_timeout{5'000};
  /// How long a call that would fit if those under way were free waits for them to end. Zero: refused at once.
  std::chrono::milliseconds wait_for_held{5'000};
};

/// Reads the map and notes problems there. `folder` is where relative file names begin.
[[nodiscard]] BudgetsConfig read_budgets(config::ConfigReader& reader, const std::filesystem::path& folder);

}  // namespace parley::budget
