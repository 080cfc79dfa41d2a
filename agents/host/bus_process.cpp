#include "agents/host/bus_process.hpp"

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "monitoring/log.hpp"

namespace parley::host {

using monitoring::log_text;

BusProcess::BusProcess(asio::io_context& io, const Clock& clock)
    : io_(io), clock_(clock), signals_(io, SIGTERM, SIGINT), health_(clock.now()) {}

Result<> BusProcess::open(BusProcessOptions options, std::vector<const prometheus::Collectable*> sources) {
  options_ = std::move(options);
  Result<std::unique_ptr<Runtime>> made = make_worker_runtime(io_, options_.runtime);
  if (!made) return fail(std::move(made).error());
  runtime_ = std::move(*made);
  return serve_health(std::move(sources));
}

Result<> BusProcess::serve_health(std::vector<const prometheus::Collectable*> sources) {
  monitoring::MetricsServerOptions server;
  server.address = options_.metrics_address;
  server.is_insecure_allowed = options_.runtime.is_insecure_allowed;
  server.port = options_.metrics_port;
  server.is_live = [this] { return health_.is_live(clock_.now()); };
  server.is_ready = [this] { return health_.is_ready(runtime_->vitals()); };
  auto started = monitoring::MetricsServer::start(std::move(server), std::move(sources), clock_);
  if (!started) return fail(std::move(started).error());
  server_ = std::move(*started);
  return {};
}

Task<Result<>> BusProcess::connect() {
  constexpr std::chrono::seconds kUsualTime{5};
  const auto limit = options_.connect_timeout;
  const Result<> started = co_await runtime_->start(limit.value_or(kUsualTime));
  if (started) co_return Result<>{};
  if (limit) co_return fail(no_broker_answers(options_.runtime.brokers, *limit));
  spdlog::warn("event=broker_unreachable broker={} reason={} hint=\"it is waited for; --connect-timeout ends instead\"",
               log_text(options_.runtime.brokers.front()), log_text(started.error().message));
  co_return Result<>{};
}

bool BusProcess::beat() {
  health_.beat(clock_.now());
  const bool is_connected = runtime_->is_connected();
  if (std::exchange(was_connected_, is_connected) == is_connected) return false;
  health_.set_connected(is_connected);
  if (!is_connected) {
    spdlog::warn("event=broker_lost broker={}", log_text(options_.runtime.brokers.front()));
    return true;
  }
  spdlog::info("event=broker_connected broker={}", log_text(options_.runtime.brokers.front()));
  if (!std::exchange(has_said_ready_, true)) say_ready();
  return true;
}

void BusProcess::say_ready() {
  nlohmann::ordered_json line{{"event", "ready"}, {"name", options_.runtime.name}, {"metrics_port", server_->port()}};
  if (!options_.agents.empty()) line["agents"] = options_.agents;
  std::cout << line.dump() << std::endl;
}

Task<int> BusProcess::asked_to_stop() {
  asio::error_code failure;
  const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return 0;
  signals_.clear();
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  health_.set_stopping();
  co_return signal;
}

}  // namespace parley::host
