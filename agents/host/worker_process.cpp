#include "agents/host/worker_process.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "agents/host/deployment.hpp"
#include "agents/host/telemetry_config.hpp"
#include "agents/host/worker_health.hpp"
#include "agents/telemetry/otlp_exporter.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "monitoring/health_metrics.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/process_metrics.hpp"

namespace parley::host {
namespace {

using monitoring::log_text;

constexpr std::chrono::seconds kConnectTime{5};
constexpr std::chrono::milliseconds kBeat{250};
/// For the last spans, when the process ends.
constexpr std::chrono::milliseconds kSpanGrace{1000};

class WorkerProcess {
 public:
  WorkerProcess(const WorkerOptions& options, const Clock& clock, Random& random)
      : options_(options),
        clock_(clock),
        random_(random),
        health_(clock.now()),
        deployment_(io_, clock, random, &metrics_),
        signals_(io_, SIGTERM, SIGINT),
        beat_timer_(io_) {}

  Result<> run() {
    Result<> traced = make_exporter();
    if (!traced) return traced;
    Result<> prepared = deployment_.prepare(options_.config);
    if (!prepared) return prepared;
    Result<> made = make_runtime();
    if (!made) return made;
    Result<> served = serve_health();
    if (!served) return served;
    spdlog::info("event=worker_started name={} pid={} metrics_port={}", log_text(options_.config.name), ::getpid(),
                 server_->port());
    asio::co_spawn(io_, work(), asio::detached);
    asio::co_spawn(io_, wait_for_signal(), asio::detached);
    asio::co_spawn(io_, beat(), asio::detached);
    io_.run();
    spdlog::info("event=worker_stopped name={}", log_text(options_.config.name));
    return outcome_;
  }

 private:
  /// Spans go nowhere unless the configuration or the environment names a collector.
  Result<> make_exporter() {
    Result<std::optional<telemetry::OtlpOptions>> resolved = telemetry::resolve(
        options_.config.telemetry, telemetry_resource(options_.config.name), telemetry::process_environment);
    if (!resolved) return fail(std::move(resolved).error());
    if (!*resolved) return {};
    spdlog::info("event=telemetry_started url={} sample_ratio={}", (**resolved).url, (**resolved).sample_ratio);
    exporter_ = telemetry::OtlpExporter::make(io_, clock_, random_, http::CurlMulti::make(io_), std::move(**resolved));
    exporter_->start();
    deployment_.set_span_sink(exporter_);
    return {};
  }

  Result<> make_runtime() {
    WorkerRuntimeOptions runtime;
    runtime.name = options_.config.name;
    runtime.brokers = options_.brokers;
    runtime.is_insecure_allowed = options_.is_insecure_allowed;
    runtime.memory_limit_bytes = options_.config.memory_limit_bytes;
    runtime.limits = options_.config.limits;
    Result<std::unique_ptr<Runtime>> made = make_worker_runtime(io_, std::move(runtime));
    if (!made) return fail(std::move(made).error());
    runtime_ = std::move(*made);
    runtime_->set_span_sink(exporter_);
    runtime_->set_turn_observer([this](std::string_view agent_type, std::string_view outcome, Duration latency) {
      metrics_.observe_turn(agent_type, outcome, latency);
    });
    return {};
  }

  Result<> serve_health() {
    monitoring::MetricsServerOptions server;
    server.address = options_.metrics_address;
    server.port = options_.metrics_port;
    server.is_live = [this] { return health_.is_live(clock_.now()); };
    server.is_ready = [this] { return health_.is_ready(runtime_->vitals()); };
    auto started =
        monitoring::MetricsServer::start(std::move(server), {&metrics_.source(), &health_metrics_, &process_}, clock_);
    if (!started) return fail(std::move(started).error());
    server_ = std::move(*started);
    return {};
  }

  /// On the metrics page's thread.
  [[nodiscard]] std::vector<monitoring::AgentHealth> agents_health() const {
    const wire::WorkerVitals vitals = runtime_->vitals();
    std::vector<monitoring::AgentHealth> agents;
    for (const wire::TypeVitals& type : vitals.types) {
      const HealthVerdict verdict = wire::assess(vitals, type, HealthFacts(), HealthLimits());
      agents.push_back({type.name, verdict.state, type.consecutive_failures, type.last_activity_ms});
    }
    return agents;
  }

  Task<> work() {
    // Before the connection, so that HELLO brings all types at once.
    Result<> deployed = co_await deployment_.deploy(*runtime_, options_.config);
    if (!deployed) {
      outcome_ = std::move(deployed);
      io_.stop();
      co_return;
    }
    const Result<> started = co_await runtime_->start(kConnectTime);
    if (started) {
      report_connection(true);
      co_return;
    }
    spdlog::warn("event=broker_unreachable broker={} reason={}", log_text(options_.brokers.front()),
                 log_text(started.error().message));
  }

  Task<> wait_for_signal() {
    asio::error_code failure;
    const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    // The next one ends the process at once, as people expect of a second Ctrl-C.
    signals_.clear();
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    spdlog::info("event=worker_draining name={} signal={}", log_text(options_.config.name), signal);
    health_.set_stopping();
    co_await runtime_->stop(options_.drain_timeout);
    if (exporter_) co_await exporter_->stop(kSpanGrace);
    io_.stop();
  }

  /// Shows that the loop comes round, and carries the runtime's state to where other threads may read it.
  Task<> beat() {
    for (;;) {
      const TimePoint due = clock_.now() + kBeat;
      beat_timer_.expires_after(kBeat);
      co_await beat_timer_.async_wait(asio::use_awaitable);
      const TimePoint now = clock_.now();
      health_.beat(now);
      metrics_.observe_loop_lag(now > due ? now - due : Duration::zero());
      report_agents();
      report_questions(now);
      report_spans();
      report_connection(runtime_->is_connected());
    }
  }

  void report_agents() {
    metrics_.publish_turns();
    const std::map<std::string, TypeStats> hosted = runtime_->stats();
    std::vector<std::string_view> types;
    for (const auto& [type, stats] : hosted) {
      types.emplace_back(type);
      metrics_.set_gauges(type, {stats.activations, stats.inflight, stats.waiting});
    }
    metrics_.keep_agent_types(types);
    const HostStats kept = runtime_->host_stats();
    metrics_.set_kept({.max_activations = kept.limits.max_activations,
                       .surplus_passivations = kept.surplus_passivations,
                       .saved_states = kept.saved_states,
                       .max_saved_states = kept.limits.max_saved_states,
                       .saved_state_bytes = kept.saved_bytes,
                       .max_saved_state_bytes = kept.limits.max_saved_bytes,
                       .dropped_states = kept.dropped_states});
  }

  void report_questions(TimePoint now) {
    const people::BoardGauges questions = deployment_.questions().gauges(now);
    metrics_.set_questions(questions.waiting, questions.oldest);
  }

  void report_spans() {
    if (!exporter_) return;
    const telemetry::SpanCounts counts = exporter_->counts();
    metrics_.set_spans({counts.exported, counts.refused, counts.dropped, counts.waiting});
  }

  void report_connection(bool is_connected) {
    if (is_connected == was_connected_) return;
    was_connected_ = is_connected;
    health_.set_connected(is_connected);
    metrics_.set_connected(is_connected);
    if (!is_connected) {
      spdlog::warn("event=broker_lost broker={}", log_text(options_.brokers.front()));
      return;
    }
    spdlog::info("event=broker_connected broker={}", log_text(options_.brokers.front()));
    if (std::exchange(has_said_ready_, true)) return;
    nlohmann::ordered_json line{{"event", "ready"}, {"name", options_.config.name}, {"metrics_port", server_->port()}};
    for (const AgentConfig& agent : options_.config.agents) line["agents"].push_back(agent.type);
    std::cout << line.dump() << std::endl;
  }

  const WorkerOptions& options_;
  const Clock& clock_;
  Random& random_;
  asio::io_context io_{1};
  WorkerHealth health_;
  monitoring::WorkerMetrics metrics_;
  monitoring::HealthMetrics health_metrics_{[this] { return agents_health(); }};
  monitoring::ProcessMetrics process_{"parley-agent"};
  Deployment deployment_;
  asio::signal_set signals_;
  asio::steady_timer beat_timer_;
  std::shared_ptr<telemetry::OtlpExporter> exporter_;  ///< shared with the runtime and the models; empty: off
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<monitoring::MetricsServer> server_;
  Result<> outcome_;
  bool was_connected_ = false;
  bool has_said_ready_ = false;
};

}  // namespace

Result<> run_worker(const WorkerOptions& options, const Clock& clock, Random& random) {
  return WorkerProcess(options, clock, random).run();
}

}  // namespace parley::host
