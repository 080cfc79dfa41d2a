#include "services/ledger/price_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "agents/budget/price_config.hpp"
#include "services/config/reader.hpp"
#include "services/config/yaml.hpp"

namespace parley::ledger {
namespace {

using config::ConfigProblems;
using config::Loaded;
using nlohmann::json;

/// LiteLLM's map has grown to some 2 MiB.
constexpr std::size_t kMaxJsonBytes = std::size_t{32} * 1024 * 1024;
constexpr double kPicoPerUsd = 1e12;
constexpr double kMaxUsdPerToken = 1;

std::unexpected<ConfigProblems> problem(const std::string& file, std::string key, std::string expected) {
  ConfigProblems problems;
  problems.add({file, 0, std::move(key), {}, std::move(expected)});
  return std::unexpected(std::move(problems));
}

/// A price of one token in dollars; nullopt when it is not there or no price.
std::optional<std::uint64_t> pico_usd(const json& entry, const std::string& key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_number()) return std::nullopt;
  const auto usd = found->get<double>();
  if (!(usd >= 0 && usd <= kMaxUsdPerToken)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(usd * kPicoPerUsd));
}

/// LiteLLM's names of the same fact, with a suffix for the prices above a threshold.
template <class Rates>
bool read_rates(const json& entry, const std::string& suffix, Rates& rates) {
  const auto input = pico_usd(entry, "input_cost_per_token" + suffix);
  const auto output = pico_usd(entry, "output_cost_per_token" + suffix);
  if (!input || !output) return false;
  rates.input_pico_usd = *input;
  rates.output_pico_usd = *output;
  rates.cached_input_pico_usd = pico_usd(entry, "cache_read_input_token_cost" + suffix).value_or(*input);
  rates.cache_write_pico_usd = pico_usd(entry, "cache_creation_input_token_cost" + suffix);
  return true;
}

std::optional<llm::ModelPrice> price_of(const json& entry) {
  struct Threshold {
    const char* suffix;
    std::uint64_t tokens;
  };
  constexpr std::array kThresholds{Threshold{"_above_128k_tokens", 128'000}, Threshold{"_above_200k_tokens", 200'000},
                                   Threshold{"_above_272k_tokens", 272'000}};
  llm::ModelPrice price;
  if (!entry.is_object() || !read_rates(entry, "", price)) return std::nullopt;
  for (const auto& [suffix, tokens] : kThresholds) {
    llm::PriceTier tier;
    tier.above_input_tokens = tokens;
    if (read_rates(entry, suffix, tier)) price.tiers.push_back(tier);
  }
  return price;
}

void raise(std::uint64_t& highest, std::uint64_t price) { highest = std::max(highest, price); }

template <class Rates>
void raise(llm::ModelPrice& highest, const Rates& rates) {
  raise(highest.input_pico_usd, rates.input_pico_usd);
  raise(highest.cached_input_pico_usd, rates.cached_input_pico_usd);
  raise(highest.output_pico_usd, rates.output_pico_usd);
  std::uint64_t write = highest.cache_write_pico_usd.value_or(0);
  raise(write, rates.cache_write_pico_usd.value_or(rates.input_pico_usd));
  highest.cache_write_pico_usd = write;
}

}  // namespace

const llm::ModelPrice* PriceTable::find(std::string_view model) const {
  const auto found = prices_.find(model);
  return found == prices_.end() ? nullptr : &found->second;
}

std::optional<llm::ModelPrice> PriceTable::highest() const {
  if (prices_.empty()) return std::nullopt;
  llm::ModelPrice highest;
  for (const auto& [name, price] : prices_) {
    raise(highest, price);
    for (const llm::PriceTier& tier : price.tiers) raise(highest, tier);
  }
  return highest;
}

Loaded<PriceTable> read_price_yaml(std::string_view text, const std::string& file) {
  Loaded<config::YamlDocument> document = config::parse_yaml(text, file);
  if (!document) return std::unexpected(std::move(document).error());
  ConfigProblems problems;
  config::ConfigReader root(*document, problems);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  std::map<std::string, llm::ModelPrice, std::less<>> prices;
  for (auto& [name, entry] : root.named_children("models")) prices.emplace(name, budget::read_price(entry));
  if (prices.empty()) root.reject("models", "expected a map with the price of at least one model");
  root.reject_unknown_keys();
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return PriceTable(std::move(prices));
}

Loaded<PriceTable> read_price_json(std::string_view text, const std::string& file) {
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object()) return problem(file, "", "expected a JSON map of models");
  std::map<std::string, llm::ModelPrice, std::less<>> prices;
  for (const auto& [name, entry] : root.items()) {
    if (auto price = price_of(entry)) prices.emplace(name, std::move(*price));
  }
  if (prices.empty()) {
    return problem(file, "", "expected models with input_cost_per_token and output_cost_per_token in US dollars");
  }
  return PriceTable(std::move(prices));
}

Loaded<PriceTable> load_prices(const std::filesystem::path& path) {
  const std::string file = path.string();
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return problem(file, "", "expected a file that can be read");
  std::string text;
  std::array<char, 65536> piece{};
  while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kMaxJsonBytes) return problem(file, "", "expected at most 32 MiB");
  }
  if (path.extension() == ".json") return read_price_json(text, file);
  return read_price_yaml(text, file);
}

}  // namespace parley::ledger
