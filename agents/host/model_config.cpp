#include "agents/host/model_config.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "agents/budget/price_config.hpp"
#include "agents/host/model_guards.hpp"
#include "agents/host/offline_config.hpp"
#include "agents/host/yaml_json.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/llm/anthropic_model.hpp"
#include "agents/llm/json_text.hpp"
#include "agents/llm/offline_model.hpp"
#include "agents/llm/openai_model.hpp"
#include "agents/llm/priced_model.hpp"
#include "agents/llm/replay_model.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;
using Made = Result<std::shared_ptr<llm::ChatModel>>;

constexpr Range<milliseconds> kTimeouts{milliseconds(1), milliseconds(3'600'000)};
constexpr std::size_t kMaxMembers = 16;

/// `price: {input_per_million_usd, output_per_million_usd, …}`.
std::optional<llm::ModelPrice> read_price(ConfigReader& reader) {
  std::optional<ConfigReader> prices = reader.child("price");
  if (!prices) return std::nullopt;
  return budget::read_price(*prices);
}

/// Completes the description of a model of which only the innermost part differs between providers.
template <class MakeInner>
ModelConfig described(ModelConfig config, const std::string& name, ModelGuards guards, MakeInner make_inner) {
  config.make = [name, model = config.model, price = config.price, guards = std::move(guards),
                 make_inner = std::move(make_inner)](ModelServices& services) -> Made {
    Made inner = make_inner(services);
    if (!inner) return inner;
    if (price) inner = std::make_shared<llm::PricedModel>(std::move(*inner), model, *price);
    return guarded(std::move(*inner), name, guards, services);
  };
  return config;
}

ModelConfig read_offline(const std::string& name, ConfigReader& reader) {
  std::optional<llm::OfflineRules> rules = read_offline_rules(reader);
  // Nobody pays for it, but its configuration may pretend.
  const llm::ModelPrice price = read_price(reader).value_or(llm::ModelPrice{});
  ModelConfig config{"offline", std::string(llm::kOfflineModelName), price};
  return described(std::move(config), name, read_model_guards(reader, std::nullopt),
                   [rules = std::move(rules)](ModelServices& services) -> Made {
                     return std::make_shared<llm::OfflineModel>(rules.value(), services.clock);
                   });
}

ModelConfig read_replay(const std::string& name, ConfigReader& reader) {
  constexpr std::array<std::string_view, 2> kMatches{"order", "request"};
  const std::filesystem::path file = beside(reader, reader.required_text("file"));
  const auto match = static_cast<llm::ReplayMatch>(reader.choice("match", kMatches, 0));
  ModelConfig config{"replay", reader.text("model", "replay"), read_price(reader).value_or(llm::ModelPrice{})};
  return described(std::move(config), name, read_model_guards(reader, std::nullopt),
                   [file, match](ModelServices&) -> Made {
                     Result<std::unique_ptr<llm::ReplayModel>> model = llm::ReplayModel::make(file, match);
                     if (!model) return fail(std::move(model).error());
                     return std::shared_ptr<llm::ChatModel>(std::move(*model));
                   });
}

void read_http(ConfigReader& reader, llm::HttpOptions& http) {
  http.base_url = reader.text("base_url", http.base_url);
  const Result<llm::Endpoint> endpoint = llm::Endpoint::parse(http.base_url);
  if (!endpoint) reader.reject("base_url", endpoint.error().message);
  http.key_variable = reader.text("api_key_env", http.key_variable);
  const bool is_insecure = reader.flag("insecure", false);
  if (endpoint && sends_key_in_the_clear(*endpoint, http) && !is_insecure) {
    reader.reject("base_url",
                  "expected https, because a key goes along and plain http shows it to the network; or api_key_env: '' "
                  "for a server that wants none, or insecure: true on a network that you trust");
  }
  http.timeout = reader.duration("timeout", http.timeout, kTimeouts);
  http.connect_timeout = reader.duration("connect_timeout", http.connect_timeout, kTimeouts);
  http.stall_timeout = reader.duration("stall_timeout", http.stall_timeout, kTimeouts);
  http.max_response_bytes = reader.integer("max_response_bytes", http.max_response_bytes, {1024, 1'073'741'824});
}

/// Providers of the network are asked again unless the settings say otherwise.
ModelGuards read_http_guards(ConfigReader& reader, const llm::HttpOptions& http, milliseconds max_retry_after) {
  llm::RetryingOptions retry;
  retry.timeout = http.timeout;
  retry.retry.max_retry_after = max_retry_after;
  retry.retry.max_retries = static_cast<std::uint32_t>(reader.integer("max_retries", retry.retry.max_retries, {0, 20}));
  return read_model_guards(reader, retry);
}

/// `extra_body`, without the keys that would undo what budgets reserve, cap and price.
std::string read_extra_body(ConfigReader& reader) {
  constexpr std::array<std::string_view, 7> kTaken{
      "max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict", "n", "best_of", "model"};
  std::optional<std::string> extra = read_json_object(reader, "extra_body");
  if (!extra) return {};
  const auto fields = llm::parse_json(*extra);
  for (const std::string_view key : kTaken) {
    if (fields && fields->contains(key)) {
      reader.reject("extra_body", "expected no '" + std::string(key) +
                                      "', which says how much a call may cost; the settings of the model and of the "
                                      "agent say that");
    }
  }
  return std::move(*extra);
}

llm::OpenAiDialect read_dialect(ConfigReader& reader) {
  constexpr std::array<std::string_view, 2> kMaxTokensFields{"max_tokens", "max_completion_tokens"};
  constexpr std::array<std::string_view, 3> kStructuredOutputs{"json_schema", "json_object", "prompt"};
  llm::OpenAiDialect dialect;
  dialect.max_tokens_field = static_cast<llm::MaxTokensField>(reader.choice("max_tokens_field", kMaxTokensFields, 0));
  dialect.structured_output =
      static_cast<llm::StructuredOutput>(reader.choice("structured_output", kStructuredOutputs, 0));
  dialect.has_stream_usage = reader.flag("stream_usage", dialect.has_stream_usage);
  dialect.extra_body = read_extra_body(reader);
  return dialect;
}

template <class Options>
Made make_http_model(const Options& options, ModelServices& services,
                     Result<std::unique_ptr<llm::ChatModel>> (*make)(Options, std::shared_ptr<http::CurlMulti>,
                                                                     const Clock&, Random&)) {
  if (services.curl == nullptr) services.curl = http::CurlMulti::make(services.io);
  Result<std::unique_ptr<llm::ChatModel>> model = make(options, services.curl, services.clock, services.random);
  if (!model) return fail(std::move(model).error());
  return std::shared_ptr<llm::ChatModel>(std::move(*model));
}

ModelConfig read_openai(const std::string& name, ConfigReader& reader) {
  llm::OpenAiOptions options;
  read_http(reader, options.http);
  options.model = reader.required_text("model");
  options.dialect = read_dialect(reader);
  ModelConfig config{"openai", options.model, read_price(reader)};
  return described(std::move(config), name, read_http_guards(reader, options.http, milliseconds(120'000)),
                   [options](ModelServices& services) -> Made {
                     return make_http_model(options, services, &llm::make_openai_model);
                   });
}

ModelConfig read_anthropic(const std::string& name, ConfigReader& reader) {
  llm::AnthropicOptions options;
  read_http(reader, options.http);
  options.model = reader.required_text("model");
  options.max_tokens = static_cast<std::uint32_t>(reader.integer("max_tokens", options.max_tokens, {1, 1'000'000}));
  if (reader.has("thinking_tokens")) {
    // The API wants at least so many.
    options.thinking_tokens = static_cast<std::uint32_t>(reader.integer("thinking_tokens", 1024, {1024, 1'000'000}));
  }
  options.is_prompt_cached = reader.flag("prompt_cache", options.is_prompt_cached);
  options.beta = reader.text("beta");
  if (options.beta.find_first_of("\r\n") != std::string::npos) reader.reject("beta", "expected one line");
  options.extra_body = read_extra_body(reader);
  ModelConfig config{"anthropic", options.model, read_price(reader)};
  config.output = {options.max_tokens, options.thinking_tokens};
  return described(std::move(config), name, read_http_guards(reader, options.http, milliseconds(60'000)),
                   [options](ModelServices& services) -> Made {
                     return make_http_model(options, services, &llm::make_anthropic_model);
                   });
}

std::vector<std::string> read_members(ConfigReader& reader, std::string_view key) {
  std::vector<std::string> members = reader.texts(key);
  if (members.size() > kMaxMembers) reader.reject(key, "expected at most " + std::to_string(kMaxMembers) + " models");
  return members;
}

ModelConfig read_fallback(ConfigReader& reader) {
  ModelConfig config{"fallback", "fallback", std::nullopt};
  config.chains.members = read_members(reader, "models");
  config.chains.for_context_window = read_members(reader, "context_window");
  config.chains.for_content_policy = read_members(reader, "content_policy");
  if (config.chains.members.empty()) reader.reject("models", "expected a list of names of models, the first one first");
  config.guard = [guards = read_chain_guards(reader)](std::shared_ptr<llm::ChatModel> chain, const std::string& name,
                                                      ModelServices& services) {
    // Only a recording could fail, and a chain has none.
    return guarded(std::move(chain), name, guards, services).value();
  };
  return config;
}

std::vector<std::string> all_of(const ModelChains& chains) {
  std::vector<std::string> names = chains.members;
  names.insert(names.end(), chains.for_context_window.begin(), chains.for_context_window.end());
  names.insert(names.end(), chains.for_content_policy.begin(), chains.for_content_policy.end());
  return names;
}

}  // namespace

ModelConfig read_model(const std::string& name, ConfigReader& settings) {
  constexpr std::array<std::string_view, 5> kProviders{"offline", "openai", "anthropic", "replay", "fallback"};
  if (!settings.has("provider")) {
    settings.reject("provider", "expected one of offline, openai, anthropic, replay, fallback");
    return {};
  }
  ModelConfig model;
  switch (settings.choice("provider", kProviders, kProviders.size())) {
    case 0:
      model = read_offline(name, settings);
      break;
    case 1:
      model = read_openai(name, settings);
      break;
    case 2:
      model = read_anthropic(name, settings);
      break;
    case 3:
      model = read_replay(name, settings);
      break;
    case 4:
      model = read_fallback(settings);
      break;
    default:
      // An unknown provider is reported by choice(); its other keys cannot be judged then.
      return {};
  }
  settings.reject_unknown_keys();
  return model;
}

void check_chains(ConfigReader& reader, const std::map<std::string, ModelConfig>& models) {
  std::vector<std::string> known;
  known.reserve(models.size());
  for (const auto& [name, model] : models) known.push_back(name);
  for (auto& [name, settings] : reader.named_children("models")) {
    const auto found = models.find(name);
    if (found == models.end()) continue;
    for (const std::string& member : all_of(found->second.chains)) {
      if (models.contains(member)) {
        const std::vector<std::string> reached = with_members(member, models);
        if (std::ranges::find(reached, name) != reached.end()) {
          settings.reject("'" + member + "' leads back to this model; expected a chain with an end");
        }
        continue;
      }
      const std::vector<std::string> nearest = nearest_names(member, known, 1);
      settings.reject("expected names of models of this file, and '" + member + "' is none" +
                      (nearest.empty() ? "" : " (did you mean '" + nearest.front() + "'?)"));
    }
  }
}

std::vector<std::string> with_members(const std::string& name, const std::map<std::string, ModelConfig>& models) {
  std::vector<std::string> names{name};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = models.find(names[i]);
    if (found == models.end()) continue;
    for (std::string& member : all_of(found->second.chains)) {
      if (std::ranges::find(names, member) == names.end()) names.push_back(std::move(member));
    }
  }
  return names;
}

}  // namespace parley::host
