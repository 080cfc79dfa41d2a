// What the models of a fleet cost, by their names. A value; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agents/llm/model_price.hpp"
#include "services/config/problems.hpp"

namespace parley::ledger {

class PriceTable {
 public:
  PriceTable() = default;
  explicit PriceTable(std::map<std::string, llm::ModelPrice, std::less<>> prices) : prices_(std::move(prices)) {}

  /// nullptr for a model that is not in the table.
  [[nodiscard]] const llm::ModelPrice* find(std::string_view model) const;
  /// The highest of each price; nullopt for an empty table.
  [[nodiscard]] std::optional<llm::ModelPrice> highest() const;
  [[nodiscard]] std::size_t size() const { return prices_.size(); }

 private:
  std::map<std::string, llm::ModelPrice, std::less<>> prices_;
};

/// Reads a table: YAML (`models: {NAME: {input_per_million_usd: …, …}}`), or, from a file whose name ends in `.json`,
/// the map of LiteLLM (`{NAME: {input_cost_per_token: …, …}}`; entries without token prices are left out).
[[nodiscard]] config::Loaded<PriceTable> load_prices(const std::filesystem::path& path);
/// The same from a text.
[[nodiscard]] config::Loaded<PriceTable> read_price_yaml(std::string_view text, const std::string& file);
[[nodiscard]] config::Loaded<PriceTable> read_price_json(std::string_view text, const std::string& file);

}  // namespace parley::ledger
