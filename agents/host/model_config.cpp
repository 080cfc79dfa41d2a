#include "agents/host/model_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "agents/budget/price_config.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/llm/offline_model.hpp"
#include "agents/llm/openai_model.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;

constexpr Range<milliseconds> kWaits{milliseconds(0), milliseconds(3'600'000)};
constexpr Range<milliseconds> kTimeouts{milliseconds(1), milliseconds(3'600'000)};
constexpr Range<std::uint64_t> kTokens{0, 100'000'000};
constexpr std::uint64_t kMaxRepetitions = 1000;

/// What an expression's counted repetitions multiply to, at most. std::regex unrolls them when it compiles: a short
/// expression with nested ones would take seconds and a lot of memory.
std::uint64_t repetitions_of(std::string_view expression) {
  std::uint64_t product = 1;
  for (std::size_t open = expression.find('{'); open != std::string_view::npos; open = expression.find('{', open + 1)) {
    const std::string_view counts = expression.substr(open + 1, expression.find('}', open) - open - 1);
    const char* const begin = std::to_address(counts.begin());
    const char* const end = std::to_address(counts.end());
    std::uint64_t least = 1;
    std::uint64_t most = 1;
    const char* const comma = std::from_chars(begin, end, least).ptr;
    if (comma != end && *comma == ',') std::from_chars(comma + 1, end, most);
    const std::uint64_t count = std::max(least, most);
    product *= std::clamp<std::uint64_t>(count, 1, kMaxRepetitions + 1);
    if (product > kMaxRepetitions) return product;
  }
  return product;
}

/// `price: {input_per_million_usd, output_per_million_usd, …}`.
std::optional<llm::ModelPrice> read_price(ConfigReader& reader) {
  std::optional<ConfigReader> prices = reader.child("price");
  if (!prices) return std::nullopt;
  return budget::read_price(*prices);
}

llm::OfflineRule read_rule(ConfigReader& reader) {
  llm::OfflineRule rule;
  const bool is_regex = reader.has("regex");
  if (is_regex == reader.has("contains")) {
    reader.reject("expected either `contains` or `regex` beside `reply`");
  } else {
    rule.match = is_regex ? llm::OfflineRule::Match::regex : llm::OfflineRule::Match::contains;
    rule.pattern = reader.required_text(is_regex ? "regex" : "contains");
    if (is_regex && repetitions_of(rule.pattern) > kMaxRepetitions) {
      reader.reject("regex", "expected an expression whose repetitions multiply to at most 1000");
      rule.pattern.clear();
    }
  }
  rule.reply = reader.required_text("reply");
  if (reader.has("latency")) rule.latency = reader.duration("latency", milliseconds(0), kWaits);
  if (reader.has("input_tokens")) rule.input_tokens = reader.integer("input_tokens", 0, kTokens);
  if (reader.has("output_tokens")) rule.output_tokens = reader.integer("output_tokens", 0, kTokens);
  reader.reject_unknown_keys();
  return rule;
}

ModelConfig read_offline(ConfigReader& reader) {
  llm::OfflineOptions options;
  for (ConfigReader& entry : reader.children("rules")) options.rules.push_back(read_rule(entry));
  options.default_reply = reader.text("default_reply", options.default_reply);
  options.prefix = reader.text("prefix", options.prefix);
  options.latency = reader.duration("latency", options.latency, kWaits);
  options.chunk_interval = reader.duration("chunk_interval", options.chunk_interval, kWaits);
  options.chunk_bytes = reader.integer("chunk_bytes", options.chunk_bytes, {0, 1'048'576});
  // Compiling the expressions here tells about a wrong one with its line.
  Result<llm::OfflineRules> rules = llm::OfflineRules::make(std::move(options));
  if (!rules) {
    reader.reject("rules", rules.error().message);
    return {};
  }
  // Nobody pays for it, but its configuration may pretend.
  const llm::ModelPrice price = read_price(reader).value_or(llm::ModelPrice{});
  return {"offline", std::string(llm::kOfflineModelName), price,
          [rules = std::move(*rules)](ModelServices& services) -> Result<std::shared_ptr<llm::ChatModel>> {
            return std::make_shared<llm::OfflineModel>(rules, services.clock);
          }};
}

ModelConfig read_openai(ConfigReader& reader) {
  constexpr std::array<std::string_view, 2> kMaxTokensFields{"max_tokens", "max_completion_tokens"};
  llm::OpenAiOptions options;
  options.base_url = reader.text("base_url", options.base_url);
  const Result<llm::Endpoint> endpoint = llm::Endpoint::parse(options.base_url);
  if (!endpoint) reader.reject("base_url", endpoint.error().message);
  options.model = reader.required_text("model");
  options.key_variable = reader.text("api_key_env", options.key_variable);
  options.max_tokens_field = reader.choice("max_tokens_field", kMaxTokensFields, 0) == 0
                                 ? llm::MaxTokensField::max_tokens
                                 : llm::MaxTokensField::max_completion_tokens;
  options.timeout = reader.duration("timeout", options.timeout, kTimeouts);
  options.connect_timeout = reader.duration("connect_timeout", options.connect_timeout, kTimeouts);
  options.stall_timeout = reader.duration("stall_timeout", options.stall_timeout, kTimeouts);
  options.max_response_bytes = reader.integer("max_response_bytes", options.max_response_bytes, {1024, 1'073'741'824});
  options.max_retries = static_cast<std::uint32_t>(reader.integer("max_retries", options.max_retries, {0, 20}));
  return {"openai", options.model, read_price(reader),
          [options = std::move(options)](ModelServices& services) -> Result<std::shared_ptr<llm::ChatModel>> {
            if (services.curl == nullptr) services.curl = http::CurlMulti::make(services.io);
            Result<std::unique_ptr<llm::OpenAiModel>> model =
                llm::OpenAiModel::make(options, services.curl, services.clock, services.random);
            if (!model) return fail(std::move(model).error());
            return std::shared_ptr<llm::ChatModel>(std::move(*model));
          }};
}

}  // namespace

ModelConfig read_model(ConfigReader& settings) {
  constexpr std::array<std::string_view, 2> kProviders{"offline", "openai"};
  if (!settings.has("provider")) {
    settings.reject("provider", "expected one of offline, openai");
    return {};
  }
  // An unknown provider is reported by choice(); its other keys cannot be judged then.
  switch (settings.choice("provider", kProviders, kProviders.size())) {
    case 0: {
      ModelConfig model = read_offline(settings);
      settings.reject_unknown_keys();
      return model;
    }
    case 1: {
      ModelConfig model = read_openai(settings);
      settings.reject_unknown_keys();
      return model;
    }
    default:
      return {};
  }
}

}  // namespace parley::host
