// Parley as agent authors use it: a typed agent with a coroutine handler, client coroutines, two WorkerRuntimes.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <prometheus/metric_family.h>
#include <string>
#include <thread>

#include "libmsg/runtime/agent.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "monitoring/worker_metrics.hpp"
#include "tests/bench/roles.hpp"

namespace parley::bench {
namespace {

struct Ping {
  static constexpr std::string_view kTypeName = "bench.Ping";
  std::uint64_t sequence = 0;
  std::string body;
  PARLEY_FIELDS(sequence, body)
};

struct Pong {
  static constexpr std::string_view kTypeName = "bench.Pong";
  std::uint64_t sequence = 0;
  std::string body;
  PARLEY_FIELDS(sequence, body)
};

class Echo final : public TypedAgent<Echo, Ping> {
 public:
  Task<Result<Pong>> on(const Ping& ping, Context& /*context*/) { co_return Pong{ping.sequence, ping.body}; }
};

std::unique_ptr<Runtime> connect(asio::io_context& io, const std::string& endpoint, const std::string& name) {
  WorkerRuntimeOptions options;
  options.name = name;
  options.brokers = {endpoint};
  auto runtime = make_worker_runtime(io, std::move(options));
  if (!runtime) throw std::runtime_error(runtime.error().message);
  return std::move(*runtime);
}

Task<> serve(Runtime& runtime, const std::string& endpoint) {
  auto factory = [](const AgentId&) { return std::make_unique<Echo>(); };
  auto registered = co_await runtime.register_type("bench-agent", factory);
  auto started = co_await runtime.start();
  if (!registered || !started) throw std::runtime_error("the bench worker could not start");
  announce_ready(endpoint);
}

/// What the metrics page's thread does when Prometheus comes round.
void scrape(const monitoring::WorkerMetrics& numbers, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    (void)numbers.source().Collect();
  }
}

/// What a worker process does between scrapes.
Task<> refresh(Runtime& runtime, monitoring::WorkerMetrics& numbers) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    timer.expires_after(std::chrono::milliseconds(250));
    co_await timer.async_wait(asio::use_awaitable);
    numbers.publish_turns();
    for (const auto& [type, stats] : runtime.stats()) {
      numbers.set_gauges(type, {stats.activations, stats.inflight, stats.waiting, stats.oldest_waiting});
    }
  }
}

/// Shared by the client coroutines of one run.
struct ClientRun {
  Runtime& runtime;
  std::string body;
  std::int64_t measure_from = 0;
  std::int64_t until = 0;
  std::uint64_t sequence = 0;
  std::uint32_t running = 0;
  Histogram latencies;
  Outcome outcome;
};

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

Task<> one_caller(ClientRun& run, std::uint32_t number) {
  const parley::Target target(AgentId::make("bench-agent", std::to_string(number % 64)).value());
  for (std::int64_t started = now_ns(); started < run.until;) {
    Ping ping{++run.sequence, run.body};
    const std::uint64_t expected = ping.sequence;
    auto pong = co_await run.runtime.client().request<Pong>(target, ping);
    const std::int64_t ended = now_ns();
    if (!pong) {
      run.outcome.lost++;
    } else if (pong->sequence != expected) {
      run.outcome.duplicated++;
    } else if (ended >= run.measure_from) {
      run.outcome.finished++;
      run.latencies.record(static_cast<std::uint64_t>(ended - started));
    }
    started = ended;
  }
  run.running--;
}

Task<> drive(ClientRun& run, const Load& load) {
  auto started = co_await run.runtime.start();
  if (!started) throw std::runtime_error(started.error().message);
  const std::int64_t begin = now_ns();
  run.measure_from = begin + static_cast<std::int64_t>(load.warmup_seconds * 1e9);
  run.until = run.measure_from + static_cast<std::int64_t>(load.seconds * 1e9);
  auto executor = co_await asio::this_coro::executor;
  run.running = load.window;
  for (std::uint32_t i = 0; i < load.window; ++i) asio::co_spawn(executor, one_caller(run, i), asio::detached);
}

}  // namespace

int run_runtime_worker(const std::string& endpoint, Metrics metrics) {
  asio::io_context io(1);
  auto runtime = connect(io, endpoint, "bench-worker");
  monitoring::WorkerMetrics numbers;
  std::jthread scraper;
  if (metrics == Metrics::on) {
    numbers.add_agent_type("bench-agent");
    runtime->set_turn_observer([&numbers](std::string_view type, std::string_view outcome, Duration latency) {
      numbers.observe_turn(type, outcome, latency);
    });
    scraper = std::jthread([&numbers](const std::stop_token& stop) { scrape(numbers, stop); });
    asio::co_spawn(io, refresh(*runtime, numbers), asio::detached);
  }
  asio::co_spawn(io, serve(*runtime, endpoint), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  return 0;
}

Outcome run_runtime_client(const std::string& endpoint, std::size_t payload_bytes, const Load& load) {
  asio::io_context io(1);
  auto runtime = connect(io, endpoint, "bench-client");
  ClientRun run{.runtime = *runtime, .body = std::string(payload_bytes, 'x'), .latencies = {}, .outcome = {}};
  asio::co_spawn(io, drive(run, load), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  while (run.running > 0 || run.until == 0) io.run_one();
  run.outcome.sent = run.sequence;
  run.outcome.seconds = load.seconds;
  run.outcome.p50_us = static_cast<double>(run.latencies.percentile(50)) / 1e3;
  run.outcome.p99_us = static_cast<double>(run.latencies.percentile(99)) / 1e3;
  run.outcome.p999_us = static_cast<double>(run.latencies.percentile(99.9)) / 1e3;
  return run.outcome;
}

}  // namespace parley::bench
