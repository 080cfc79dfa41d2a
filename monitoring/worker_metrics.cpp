#include "monitoring/worker_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "monitoring/catalogue.hpp"

namespace parley::monitoring {
namespace {

using prometheus::Histogram;

// Turns take from microseconds (a router by phrases) to minutes (a model).
const Histogram::BucketBoundaries kTurnSeconds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1,
                                               0.3,    1,      3,     10,    30,   100,  300};
const Histogram::BucketBoundaries kLagSeconds{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};
// The boundaries that OpenTelemetry's GenAI metrics conventions advise.
const Histogram::BucketBoundaries kModelSeconds{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                                1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const Histogram::BucketBoundaries kTokens{1,     4,     16,     64,      256,     1024,     4096,
                                          16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

template <class Builder>
auto& make_family(prometheus::Registry& registry, Builder builder, std::string_view name) {
  return builder.Name(std::string(name)).Help(std::string(metric_help(name))).Register(registry);
}

}  // namespace

class WorkerMetrics::Impl {
 public:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  prometheus::Registry registry;
  Gauges& build = make_family(registry, prometheus::BuildGauge(), "parley_build_info");
  Gauges& connected = make_family(registry, prometheus::BuildGauge(), "parley_worker_connected");
  Histograms& loop_lag = make_family(registry, prometheus::BuildHistogram(), "parley_loop_lag_seconds");
  Counters& turns = make_family(registry, prometheus::BuildCounter(), "parley_agent_turns_total");
  Histograms& turn_seconds = make_family(registry, prometheus::BuildHistogram(), "parley_agent_turn_seconds");
  Gauges& activations = make_family(registry, prometheus::BuildGauge(), "parley_agent_activations");
  Gauges& inflight = make_family(registry, prometheus::BuildGauge(), "parley_agent_inflight_messages");
  Gauges& waiting = make_family(registry, prometheus::BuildGauge(), "parley_agent_waiting_messages");
  Histograms& model_seconds =
      make_family(registry, prometheus::BuildHistogram(), "gen_ai_client_operation_duration_seconds");
  Histograms& tokens = make_family(registry, prometheus::BuildHistogram(), "gen_ai_client_token_usage");
};

WorkerMetrics::WorkerMetrics(std::string_view version) : impl_(std::make_unique<Impl>()) {
  impl_->build.Add({{"version", std::string(version)}}).Set(1);
  impl_->connected.Add({});
  impl_->loop_lag.Add({}, kLagSeconds);
}

WorkerMetrics::~WorkerMetrics() = default;

void WorkerMetrics::add_agent_type(std::string_view agent_type) {
  const prometheus::Labels labels{{"agent_type", std::string(agent_type)}};
  impl_->turns.Add({{"agent_type", std::string(agent_type)}, {"outcome", "ok"}});
  impl_->turn_seconds.Add(labels, kTurnSeconds);
  set_gauges(agent_type, {});
}

void WorkerMetrics::observe_turn(std::string_view agent_type, std::string_view outcome, Duration latency) {
  impl_->turns.Add({{"agent_type", std::string(agent_type)}, {"outcome", std::string(outcome)}}).Increment();
  impl_->turn_seconds.Add({{"agent_type", std::string(agent_type)}}, kTurnSeconds).Observe(seconds(latency));
}

void WorkerMetrics::observe_model_call(const ModelCall& call) {
  const prometheus::Labels labels{{"gen_ai_agent_name", std::string(call.agent_type)},
                                  {"gen_ai_operation_name", "chat"},
                                  {"gen_ai_request_model", std::string(call.model)}};
  prometheus::Labels outcome = labels;
  outcome["error_type"] = call.outcome == "ok" ? std::string() : std::string(call.outcome);
  impl_->model_seconds.Add(outcome, kModelSeconds).Observe(seconds(call.latency));
  const auto spend = [this, &labels](const char* type, std::uint64_t count) {
    if (count == 0) return;
    prometheus::Labels typed = labels;
    typed["gen_ai_token_type"] = type;
    impl_->tokens.Add(typed, kTokens).Observe(static_cast<double>(count));
  };
  spend("input", call.input_tokens);
  spend("output", call.output_tokens);
}

void WorkerMetrics::set_gauges(std::string_view agent_type, const AgentGauges& gauges) {
  const prometheus::Labels labels{{"agent_type", std::string(agent_type)}};
  impl_->activations.Add(labels).Set(static_cast<double>(gauges.activations));
  impl_->inflight.Add(labels).Set(static_cast<double>(gauges.inflight));
  impl_->waiting.Add(labels).Set(static_cast<double>(gauges.waiting));
}

void WorkerMetrics::set_connected(bool is_connected) { impl_->connected.Add({}).Set(is_connected ? 1 : 0); }

void WorkerMetrics::observe_loop_lag(Duration lag) { impl_->loop_lag.Add({}, kLagSeconds).Observe(seconds(lag)); }

const prometheus::Collectable& WorkerMetrics::source() const { return impl_->registry; }

}  // namespace parley::monitoring
