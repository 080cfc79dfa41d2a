#include "services/ledger/ledger_process.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>

#include "agents/host/worker_health.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "monitoring/budget_metrics.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/ledger/ledger_agent.hpp"
#include "services/ledger/ledger_numbers.hpp"
#include "services/ledger/sqlite_store.hpp"

namespace parley::ledger {
namespace {

using monitoring::log_text;

constexpr std::chrono::seconds kConnectTime{5};
constexpr std::chrono::milliseconds kGrace{2'000};
/// Leases end, and the metrics are renewed, so often.
constexpr std::chrono::milliseconds kBeat{250};
constexpr int kBeatsPerPosting = 4;

class LedgerProcess {
 public:
  LedgerProcess(LedgerOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        health_(clock.now()),
        signals_(io_, SIGTERM, SIGINT),
        timer_(io_) {}

  Result<> run() {
    if (Result<> loaded = load(); !loaded) return loaded;
    if (Result<> made = make_runtime(); !made) return made;
    if (Result<> served = serve_health(); !served) return served;
    spdlog::info("event=ledger_started pid={} state_dir={} metrics_port={} limits={} open={}", ::getpid(),
                 log_text(options_.state_dir.string()), server_->port(), options_.budgets.limits.size(),
                 service_->book().open_count());
    post_numbers();
    asio::co_spawn(io_, work(), asio::detached);
    asio::co_spawn(io_, wait_for_signal(), asio::detached);
    asio::co_spawn(io_, beat(), asio::detached);
    io_.run();
    spdlog::info("event=ledger_stopped");
    return outcome_;
  }

 private:
  Result<> load() {
    auto store = SqliteStore::open(options_.state_dir);
    if (!store) return fail(std::move(store).error());
    auto service = LedgerService::make(options_.budgets, options_.prices, std::move(*store), clock_);
    if (!service) return fail(std::move(service).error());
    service_ = std::move(*service);
    return {};
  }

  Result<> make_runtime() {
    WorkerRuntimeOptions runtime;
    runtime.name = "ledger";
    runtime.brokers = options_.brokers;
    runtime.is_insecure_allowed = options_.is_insecure_allowed;
    Result<std::unique_ptr<Runtime>> made = make_worker_runtime(io_, std::move(runtime));
    if (!made) return fail(std::move(made).error());
    runtime_ = std::move(*made);
    return {};
  }

  Result<> serve_health() {
    monitoring::MetricsServerOptions server;
    server.address = options_.metrics_address;
    server.port = options_.metrics_port;
    server.is_live = [this] { return health_.is_live(clock_.now()); };
    server.is_ready = [this] { return health_.is_ready(runtime_->vitals()); };
    auto started =
        monitoring::MetricsServer::start(std::move(server), {&board_, &metrics_.source(), &process_}, clock_);
    if (!started) return fail(std::move(started).error());
    server_ = std::move(*started);
    return {};
  }

  Task<> work() {
    const Result<> hosted =
        co_await host_ledger(*runtime_, *service_, clock_, [this](Duration time) { metrics_.observe_take(time); });
    if (!hosted) {
      end(hosted.error());
      co_return;
    }
    // Goes on trying by itself when it fails.
    const Result<> started = co_await runtime_->start(kConnectTime);
    if (started) {
      note_connection();
      co_return;
    }
    spdlog::warn("event=broker_unreachable broker={} reason={}", log_text(options_.brokers.front()),
                 log_text(started.error().message));
  }

  Task<> wait_for_signal() {
    asio::error_code failure;
    const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    signals_.clear();
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    spdlog::info("event=ledger_stopping signal={}", signal);
    health_.set_stopping();
    co_await runtime_->stop(kGrace);
    io_.stop();
  }

  Task<> beat() {
    for (int beats = 0;; beats++) {
      timer_.expires_after(kBeat);
      co_await timer_.async_wait(asio::use_awaitable);
      health_.beat(clock_.now());
      note_connection();
      const std::uint64_t expired = service_->book().counts().expired;
      if (const Result<> ticked = service_->tick(); !ticked) {
        end(ticked.error());
        co_return;
      }
      if (const std::uint64_t more = service_->book().counts().expired - expired; more > 0) {
        spdlog::warn("event=reservations_expired count={} charged=estimated", more);
      }
      if (beats % kBeatsPerPosting == 0) post_numbers();
    }
  }

  void post_numbers() { board_.post(ledger_numbers(service_->book(), service_->now())); }

  /// A ledger that cannot write must not answer.
  void end(const Error& error) {
    spdlog::error("event=ledger_failed reason={}", log_text(error.message));
    outcome_ = fail(error);
    io_.stop();
  }

  void note_connection() {
    const bool is_connected = runtime_->is_connected();
    if (std::exchange(was_connected_, is_connected) == is_connected) return;
    health_.set_connected(is_connected);
    if (!is_connected) {
      spdlog::warn("event=broker_lost broker={}", log_text(options_.brokers.front()));
      return;
    }
    spdlog::info("event=broker_connected broker={}", log_text(options_.brokers.front()));
    if (std::exchange(has_said_ready_, true)) return;
    const nlohmann::ordered_json line{{"event", "ready"}, {"name", "ledger"}, {"metrics_port", server_->port()}};
    std::cout << line.dump() << std::endl;
  }

  LedgerOptions options_;
  const Clock& clock_;
  asio::io_context io_{1};
  host::WorkerHealth health_;
  monitoring::NumberBoard board_;
  monitoring::LedgerMetrics metrics_;
  monitoring::ProcessMetrics process_{"parley-ledger"};
  std::unique_ptr<LedgerService> service_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<monitoring::MetricsServer> server_;
  Result<> outcome_;
  bool was_connected_ = false;
  bool has_said_ready_ = false;
};

}  // namespace

Result<> run_ledger(LedgerOptions options, const Clock& clock) {
  return LedgerProcess(std::move(options), clock).run();
}

}  // namespace parley::ledger
