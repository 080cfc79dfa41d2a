// What a worker process tells Prometheus about the chat models that its agents call: requests, tokens, money, and the
// two histograms of OpenTelemetry's conventions for generative AI. Series are made for the models that the
// configuration names; calls of any other model are counted under `other`, so that nobody outside mints series.
//
// Used by WorkerMetrics, whose thread rule holds: one thread at a time; the metrics page may collect meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "libmsg/core/clock.hpp"

namespace parley::monitoring {

/// The label of models that no configuration names.
inline constexpr std::string_view kOtherModel = "other";

/// A model as its provider names it.
struct ModelName {
  std::string_view provider;  ///< `openai`, `offline`
  std::string_view model;
};

/// One finished or failed call of a chat model. The token counts do not overlap.
struct ModelCall {
  std::string_view agent_type;
  ModelName model;
  std::string_view outcome;                      ///< `ok` or the error code's name
  std::span<const std::string> failed_attempts;  ///< outcomes of the requests that were repeated
  Duration latency{};
  std::uint64_t input_tokens = 0;  ///< without the cached ones
  std::uint64_t cached_input_tokens = 0;
  std::uint64_t output_tokens = 0;
  bool is_input_cut = false;                   ///< the server cannot have read all of the request
  std::optional<std::uint64_t> cost_nano_usd;  ///< nullopt: the model has no price
};

class ModelMetrics {
 public:
  /// The registry must outlive it.
  explicit ModelMetrics(prometheus::Registry& registry);

  /// Makes the series of a model that an agent type may call appear with 0.
  void add(std::string_view agent_type, ModelName model);
  void observe(const ModelCall& call);
  void remove_agent_type(std::string_view agent_type);

 private:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  struct Series {
    prometheus::Labels own_labels;
    prometheus::Labels gen_ai_labels;
    std::map<std::string, prometheus::Counter*, std::less<>> requests;     ///< by outcome
    std::map<std::string, prometheus::Histogram*, std::less<>> durations;  ///< by outcome
    prometheus::Counter* input = nullptr;
    prometheus::Counter* cached_input = nullptr;
    prometheus::Counter* output = nullptr;
    prometheus::Counter* cost = nullptr;
    prometheus::Counter* unpriced = nullptr;
    prometheus::Counter* cut_inputs = nullptr;
    prometheus::Histogram* input_usage = nullptr;
    prometheus::Histogram* output_usage = nullptr;
  };

  Series& series_of(std::string_view agent_type, ModelName model);
  [[nodiscard]] Series make_series(std::string_view agent_type, ModelName model);
  prometheus::Counter& requests_of(Series& series, std::string_view outcome);
  prometheus::Histogram& duration_of(Series& series, std::string_view outcome);
  void remove(const Series& series);

  Counters& requests_;
  Counters& tokens_;
  Counters& cost_;
  Counters& unpriced_;
  Counters& cut_inputs_;
  Histograms& durations_;
  Histograms& usage_;
  std::map<std::pair<std::string, std::string>, Series> series_;  ///< by agent type and model
};

}  // namespace parley::monitoring
