#include "agents/host/model_config.hpp"

#include <array>
#include <memory>
#include <utility>

#include "agents/budget/price_config.hpp"
#include "agents/host/offline_config.hpp"
#include "agents/host/yaml_json.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/llm/offline_model.hpp"
#include "agents/llm/openai_model.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;

constexpr Range<milliseconds> kTimeouts{milliseconds(1), milliseconds(3'600'000)};
/// `price: {input_per_million_usd, output_per_million_usd, …}`.
std::optional<llm::ModelPrice> read_price(ConfigReader& reader) {
  std::optional<ConfigReader> prices = reader.child("price");
  if (!prices) return std::nullopt;
  return budget::read_price(*prices);
}

ModelConfig read_offline(ConfigReader& reader) {
  std::optional<llm::OfflineRules> rules = read_offline_rules(reader);
  // Nobody pays for it, but its configuration may pretend.
  const llm::ModelPrice price = read_price(reader).value_or(llm::ModelPrice{});
  return {"offline", std::string(llm::kOfflineModelName), price,
          [rules = std::move(rules)](ModelServices& services) -> Result<std::shared_ptr<llm::ChatModel>> {
            return std::make_shared<llm::OfflineModel>(rules.value(), services.clock);
          }};
}

llm::OpenAiDialect read_dialect(ConfigReader& reader) {
  constexpr std::array<std::string_view, 2> kMaxTokensFields{"max_tokens", "max_completion_tokens"};
  constexpr std::array<std::string_view, 3> kStructuredOutputs{"json_schema", "json_object", "prompt"};
  llm::OpenAiDialect dialect;
  dialect.max_tokens_field = static_cast<llm::MaxTokensField>(reader.choice("max_tokens_field", kMaxTokensFields, 0));
  dialect.structured_output =
      static_cast<llm::StructuredOutput>(reader.choice("structured_output", kStructuredOutputs, 0));
  dialect.has_stream_usage = reader.flag("stream_usage", dialect.has_stream_usage);
  dialect.extra_body = read_json_object(reader, "extra_body").value_or("");
  return dialect;
}

ModelConfig read_openai(ConfigReader& reader) {
  llm::OpenAiOptions options;
  options.base_url = reader.text("base_url", options.base_url);
  const Result<llm::Endpoint> endpoint = llm::Endpoint::parse(options.base_url);
  if (!endpoint) reader.reject("base_url", endpoint.error().message);
  options.model = reader.required_text("model");
  options.key_variable = reader.text("api_key_env", options.key_variable);
  options.dialect = read_dialect(reader);
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
