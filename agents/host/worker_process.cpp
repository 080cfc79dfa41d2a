#include "agents/host/worker_process.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "agents/host/bus_process.hpp"
#include "agents/host/deployment.hpp"
#include "agents/host/memory_limit.hpp"
#include "agents/host/price_check.hpp"
#include "agents/host/span_export.hpp"
#include "monitoring/health_metrics.hpp"
#include "monitoring/log.hpp"
#include "monitoring/process_metrics.hpp"

namespace parley::host {
namespace {

using monitoring::log_text;

constexpr std::chrono::milliseconds kBeat{250};

class WorkerProcess {
 public:
  WorkerProcess(const WorkerOptions& options, const Clock& clock, Random& random)
      : options_(options),
        clock_(clock),
        random_(random),
        deployment_(io_, clock, random, &metrics_),
        beat_timer_(io_),
        bus_(io_, clock) {}

  Result<> run() {
    Result<> traced = make_exporter();
    if (!traced) return traced;
    Result<> prepared = deployment_.prepare(options_.config);
    if (!prepared) return prepared;
    for (const std::string& warning : price_warnings(options_.config)) {
      spdlog::warn("event=limit_without_price reason={}", log_text(warning));
    }
    Result<> opened = open_bus();
    if (!opened) return opened;
    spdlog::info("event=worker_started name={} pid={} metrics_port={}", log_text(options_.config.name), ::getpid(),
                 bus_.metrics_port());
    asio::co_spawn(io_, work(), asio::detached);
    asio::co_spawn(io_, stop_when_asked(), asio::detached);
    asio::co_spawn(io_, beat(), asio::detached);
    io_.run();
    spdlog::info("event=worker_stopped name={}", log_text(options_.config.name));
    return outcome_;
  }

 private:
  /// Spans go nowhere unless the configuration or the environment names a collector.
  Result<> make_exporter() {
    Result<std::shared_ptr<telemetry::OtlpExporter>> started =
        start_span_exporter(io_, clock_, random_, options_.config.telemetry, options_.config.name);
    if (!started) return fail(std::move(started).error());
    exporter_ = std::move(*started);
    deployment_.set_span_sink(exporter_);
    return {};
  }

  Result<> open_bus() {
    BusProcessOptions bus;
    bus.runtime.name = options_.config.name;
    bus.runtime.brokers = options_.brokers;
    bus.runtime.is_insecure_allowed = options_.is_insecure_allowed;
    const std::uint64_t asked = options_.config.memory_limit_bytes;
    bus.runtime.memory_limit_bytes = asked != 0 ? asked : default_memory_limit();
    bus.runtime.limits = options_.config.limits;
    bus.connect_timeout = options_.connect_timeout;
    bus.metrics_address = options_.metrics_address;
    bus.metrics_port = options_.metrics_port;
    bus.agents.reserve(options_.config.agents.size());
    for (const AgentConfig& agent : options_.config.agents) bus.agents.push_back(agent.type);
    Result<> opened = bus_.open(std::move(bus), {&metrics_.source(), &health_metrics_, &process_});
    if (!opened) return opened;
    bus_.runtime().set_span_sink(exporter_);
    bus_.runtime().set_turn_observer([this](std::string_view agent_type, std::string_view outcome, Duration latency) {
      metrics_.observe_turn(agent_type, outcome, latency);
    });
    return {};
  }

  /// On the metrics page's thread.
  [[nodiscard]] std::vector<monitoring::AgentHealth> agents_health() const {
    const wire::WorkerVitals vitals = bus_.runtime().vitals();
    std::vector<monitoring::AgentHealth> agents;
    for (const wire::TypeVitals& type : vitals.types) {
      const HealthVerdict verdict = wire::assess(vitals, type, HealthFacts(), HealthLimits());
      agents.push_back({type.name, verdict.state, type.consecutive_failures, type.last_activity_ms});
    }
    return agents;
  }

  Task<> work() {
    // Before the connection, so that HELLO brings all types at once.
    Result<> deployed = co_await deployment_.deploy(bus_.runtime(), options_.config);
    if (!deployed) co_return end(std::move(deployed));
    Result<> connected = co_await bus_.connect();
    if (!connected) co_return end(std::move(connected));
    report_connection();
  }

  void end(Result<> outcome) {
    outcome_ = std::move(outcome);
    io_.stop();
  }

  Task<> stop_when_asked() {
    const int signal = co_await bus_.asked_to_stop();
    if (signal == 0) co_return;
    spdlog::info("event=worker_draining name={} signal={}", log_text(options_.config.name), signal);
    co_await bus_.runtime().stop(options_.drain_timeout);
    co_await deployment_.stop(kToolGrace);
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
      metrics_.observe_loop_lag(now > due ? now - due : Duration::zero());
      report_agents();
      report_questions(now);
      report_spans();
      report_connection();
    }
  }

  void report_agents() {
    metrics_.publish_turns();
    const std::map<std::string, TypeStats> hosted = bus_.runtime().stats();
    std::vector<std::string_view> types;
    for (const auto& [type, stats] : hosted) {
      types.emplace_back(type);
      metrics_.set_gauges(type, {stats.activations, stats.inflight, stats.waiting, stats.oldest_waiting});
    }
    metrics_.keep_agent_types(types);
    const HostStats kept = bus_.runtime().host_stats();
    metrics_.set_kept({.max_activations = kept.limits.max_activations,
                       .surplus_passivations = kept.surplus_passivations,
                       .saved_states = kept.saved_states,
                       .max_saved_states = kept.limits.max_saved_states,
                       .saved_state_bytes = kept.saved_bytes,
                       .max_saved_state_bytes = kept.limits.max_saved_bytes,
                       .dropped_states = kept.dropped_states});
    const HostDrops& drops = kept.drops;
    metrics_.set_drops({.stale_replies = drops.stale_replies,
                        .late_answers = drops.late_answers,
                        .malformed = drops.malformed,
                        .lost_waiting = drops.lost_waiting,
                        .publishes = drops.publishes});
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

  void report_connection() {
    if (bus_.beat()) metrics_.set_connected(bus_.is_connected());
  }

  const WorkerOptions& options_;
  const Clock& clock_;
  Random& random_;
  asio::io_context io_{1};
  monitoring::WorkerMetrics metrics_;
  monitoring::HealthMetrics health_metrics_{[this] { return agents_health(); }};
  monitoring::ProcessMetrics process_{"parley-agent"};
  Deployment deployment_;
  asio::steady_timer beat_timer_;
  std::shared_ptr<telemetry::OtlpExporter> exporter_;  ///< shared with the runtime and the models; empty: off
  Result<> outcome_;
  BusProcess bus_;
};

}  // namespace

Result<> run_worker(const WorkerOptions& options, const Clock& clock, Random& random) {
  return WorkerProcess(options, clock, random).run();
}

}  // namespace parley::host
