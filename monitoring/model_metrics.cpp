#include "monitoring/model_metrics.hpp"

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

using prometheus::Histogram;
using prometheus::Labels;

// The boundaries that OpenTelemetry's conventions for generative AI advise.
const Histogram::BucketBoundaries kSeconds{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                           1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const Histogram::BucketBoundaries kTokens{1,     4,     16,     64,      256,     1024,     4096,
                                          16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
constexpr std::string_view kSuccess = "ok";
constexpr double kNanoUsdPerUsd = 1e9;

Labels with(Labels labels, const char* name, std::string_view value) {
  labels[name] = std::string(value);
  return labels;
}

void observe_tokens(Histogram& histogram, std::uint64_t count) {
  if (count > 0) histogram.Observe(static_cast<double>(count));
}

}  // namespace

ModelMetrics::ModelMetrics(prometheus::Registry& registry)
    : requests_(counter_family(registry, "parley_model_requests_total")),
      tokens_(counter_family(registry, "parley_model_tokens_total")),
      cost_(counter_family(registry, "parley_model_cost_usd_total")),
      unpriced_(counter_family(registry, "parley_model_unpriced_tokens_total")),
      cut_inputs_(counter_family(registry, "parley_model_cut_inputs_total")),
      durations_(histogram_family(registry, "gen_ai_client_operation_duration_seconds")),
      usage_(histogram_family(registry, "gen_ai_client_token_usage")) {}

void ModelMetrics::add(std::string_view agent_type, ModelName model) {
  const std::pair key{std::string(agent_type), std::string(model.model)};
  if (series_.contains(key)) return;
  Series& series = series_.emplace(key, make_series(agent_type, model)).first->second;
  requests_of(series, kSuccess);
  duration_of(series, kSuccess);
}

void ModelMetrics::observe(const ModelCall& call) {
  Series& series = series_of(call.agent_type, call.model);
  for (const std::string& outcome : call.failed_attempts) requests_of(series, outcome).Increment();
  requests_of(series, call.outcome).Increment();
  duration_of(series, call.outcome).Observe(in_seconds(call.latency));

  series.input->Increment(static_cast<double>(call.input_tokens));
  series.cached_input->Increment(static_cast<double>(call.cached_input_tokens));
  series.output->Increment(static_cast<double>(call.output_tokens));
  const std::uint64_t all_input = call.input_tokens + call.cached_input_tokens;
  observe_tokens(*series.input_usage, all_input);
  observe_tokens(*series.output_usage, call.output_tokens);
  if (call.is_input_cut) series.cut_inputs->Increment();
  if (call.cost_nano_usd) {
    series.cost->Increment(static_cast<double>(*call.cost_nano_usd) / kNanoUsdPerUsd);
  } else {
    series.unpriced->Increment(static_cast<double>(all_input + call.output_tokens));
  }
}

void ModelMetrics::remove_agent_type(std::string_view agent_type) {
  std::erase_if(series_, [&](const auto& entry) {
    if (entry.first.first != agent_type) return false;
    remove(entry.second);
    return true;
  });
}

ModelMetrics::Series& ModelMetrics::series_of(std::string_view agent_type, ModelName model) {
  const auto known = series_.find({std::string(agent_type), std::string(model.model)});
  if (known != series_.end()) return known->second;
  add(agent_type, {model.provider, kOtherModel});
  return series_.at({std::string(agent_type), std::string(kOtherModel)});
}

ModelMetrics::Series ModelMetrics::make_series(std::string_view agent_type, ModelName model) {
  Series series;
  series.own_labels = {{"agent_type", std::string(agent_type)}, {"model", std::string(model.model)}};
  series.gen_ai_labels = {{"gen_ai_agent_name", std::string(agent_type)},
                          {"gen_ai_operation_name", "chat"},
                          {"gen_ai_provider_name", std::string(model.provider)},
                          {"gen_ai_request_model", std::string(model.model)}};
  series.input = &tokens_.Add(with(series.own_labels, "token_type", "input"));
  series.cached_input = &tokens_.Add(with(series.own_labels, "token_type", "cached_input"));
  series.output = &tokens_.Add(with(series.own_labels, "token_type", "output"));
  series.cost = &cost_.Add(series.own_labels);
  series.unpriced = &unpriced_.Add(series.own_labels);
  series.cut_inputs = &cut_inputs_.Add(series.own_labels);
  series.input_usage = &usage_.Add(with(series.gen_ai_labels, "gen_ai_token_type", "input"), kTokens);
  series.output_usage = &usage_.Add(with(series.gen_ai_labels, "gen_ai_token_type", "output"), kTokens);
  return series;
}

prometheus::Counter& ModelMetrics::requests_of(Series& series, std::string_view outcome) {
  const auto known = series.requests.find(outcome);
  if (known != series.requests.end()) return *known->second;
  prometheus::Counter& made = requests_.Add(with(series.own_labels, "outcome", outcome));
  series.requests.emplace(outcome, &made);
  return made;
}

Histogram& ModelMetrics::duration_of(Series& series, std::string_view outcome) {
  const auto known = series.durations.find(outcome);
  if (known != series.durations.end()) return *known->second;
  // An empty label is the same as none: the conventions want no error type on a success.
  const std::string_view error = outcome == kSuccess ? std::string_view() : outcome;
  Histogram& made = durations_.Add(with(series.gen_ai_labels, "error_type", error), kSeconds);
  series.durations.emplace(outcome, &made);
  return made;
}

void ModelMetrics::remove(const Series& series) {
  for (const auto& [outcome, counter] : series.requests) requests_.Remove(counter);
  for (const auto& [outcome, histogram] : series.durations) durations_.Remove(histogram);
  for (prometheus::Counter* counter : {series.input, series.cached_input, series.output}) tokens_.Remove(counter);
  cost_.Remove(series.cost);
  unpriced_.Remove(series.unpriced);
  cut_inputs_.Remove(series.cut_inputs);
  usage_.Remove(series.input_usage);
  usage_.Remove(series.output_usage);
}

}  // namespace parley::monitoring
