#include "services/ledger/ledger_process.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>

#include "agents/host/bus_process.hpp"
#include "monitoring/budget_metrics.hpp"
#include "monitoring/log.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/ledger/ledger_agent.hpp"
#include "services/ledger/ledger_numbers.hpp"
#include "services/ledger/sqlite_store.hpp"

namespace parley::ledger {
namespace {

using monitoring::log_text;

constexpr std::chrono::milliseconds kGrace{2'000};
/// Leases end, and the metrics are renewed, so often.
constexpr std::chrono::milliseconds kBeat{250};
constexpr int kBeatsPerPosting = 4;

class LedgerProcess {
 public:
  LedgerProcess(LedgerOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock), timer_(io_), bus_(io_, clock) {}

  Result<> run() {
    if (Result<> loaded = load(); !loaded) return loaded;
    if (Result<> opened = open_bus(); !opened) return opened;
    spdlog::info("event=ledger_started pid={} state_dir={} metrics_port={} limits={} open={}", ::getpid(),
                 log_text(options_.state_dir.string()), bus_.metrics_port(), options_.budgets.limits.size(),
                 service_->book().open_count());
    post_numbers();
    asio::co_spawn(io_, work(), asio::detached);
    asio::co_spawn(io_, stop_when_asked(), asio::detached);
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

  Result<> open_bus() {
    host::BusProcessOptions bus;
    bus.runtime.name = "ledger";
    bus.runtime.brokers = options_.brokers;
    bus.runtime.is_insecure_allowed = options_.is_insecure_allowed;
    bus.connect_timeout = options_.connect_timeout;
    bus.metrics_address = options_.metrics_address;
    bus.metrics_port = options_.metrics_port;
    return bus_.open(std::move(bus), {&board_, &metrics_.source(), &process_});
  }

  Task<> work() {
    const Result<> hosted =
        co_await host_ledger(bus_.runtime(), *service_, clock_, [this](Duration time) { metrics_.observe_take(time); });
    if (!hosted) {
      end(hosted.error());
      co_return;
    }
    const Result<> connected = co_await bus_.connect();
    if (!connected) {
      outcome_ = fail(connected.error());
      io_.stop();
      co_return;
    }
    bus_.beat();
  }

  Task<> stop_when_asked() {
    const int signal = co_await bus_.asked_to_stop();
    if (signal == 0) co_return;
    spdlog::info("event=ledger_stopping signal={}", signal);
    co_await bus_.runtime().stop(kGrace);
    io_.stop();
  }

  Task<> beat() {
    for (int beats = 0;; beats++) {
      timer_.expires_after(kBeat);
      co_await timer_.async_wait(asio::use_awaitable);
      bus_.beat();
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

  LedgerOptions options_;
  const Clock& clock_;
  asio::io_context io_{1};
  monitoring::NumberBoard board_;
  monitoring::LedgerMetrics metrics_;
  monitoring::ProcessMetrics process_{"parley-ledger"};
  std::unique_ptr<LedgerService> service_;
  asio::steady_timer timer_;
  Result<> outcome_;
  host::BusProcess bus_;
};

}  // namespace

Result<> run_ledger(LedgerOptions options, const Clock& clock) {
  return LedgerProcess(std::move(options), clock).run();
}

}  // namespace parley::ledger
