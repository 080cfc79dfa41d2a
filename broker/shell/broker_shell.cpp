#include "broker/shell/broker_shell.hpp"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <utility>
#include <zmq.hpp>

#include "broker/core/core.hpp"
#include "broker/shell/descriptors.hpp"
#include "broker/shell/router_socket.hpp"
#include "broker/shell/state_dir.hpp"
#include "libmsg/wire/limits.hpp"
#include "monitoring/log.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/config/descriptors.hpp"

namespace parley::broker {
namespace {

using monitoring::log_text;

/// Messages taken from the socket before the core flushes what they caused; wire::kStepBytes of them end a round, too.
constexpr int kMessagesPerRound = 256;
/// A full connection cannot be polled for alone, so its frames are offered again after this.
constexpr Duration kFullRetry = std::chrono::milliseconds(1);
constexpr Duration kLongestSleep = std::chrono::milliseconds(100);
constexpr Duration kNumbersInterval = std::chrono::milliseconds(250);
/// The loop has not come round for so long: the process is stuck.
constexpr Duration kStuckAfter = std::chrono::seconds(10);

/// One broker for each ipc path: libzmq would silently take the socket file over from a live one.
Result<std::optional<FileLock>> claim_ipc_path(const net::Endpoint& endpoint) {
  if (endpoint.transport != net::Endpoint::Transport::ipc || endpoint.host.starts_with('@')) {
    return std::optional<FileLock>();
  }
  if (auto prepared = net::prepare_ipc_directory(endpoint); !prepared) return fail(std::move(prepared).error());
  auto lock = FileLock::try_lock(endpoint.host + ".lock");
  if (!lock) return lock;
  if (!*lock) {
    return fail(ErrorCode::refused, "a broker is already listening on ipc://" + endpoint.host +
                                        "; stop it, or choose another path with --listen");
  }
  struct stat info{};
  if (lstat(endpoint.host.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode)) {
    return fail(ErrorCode::bad_configuration, endpoint.host + " exists and is not a socket");
  }
  return lock;
}

std::string_view to_string(CoreEvent::Type type) {
  switch (type) {
    case CoreEvent::Type::session_opened:
      return "session_opened";
    case CoreEvent::Type::session_closed:
      return "session_closed";
    case CoreEvent::Type::sessions_full:
      return "sessions_full";
    case CoreEvent::Type::type_registered:
      return "type_registered";
    case CoreEvent::Type::type_parked:
      return "type_parked";
    case CoreEvent::Type::recovery_ended:
      return "recovery_ended";
    case CoreEvent::Type::roster_changed:
      return "roster_changed";
    case CoreEvent::Type::health_changed:
      return "health_changed";
    case CoreEvent::Type::quarantined:
      return "quarantined";
    case CoreEvent::Type::released:
      return "released";
    case CoreEvent::Type::evicted:
      return "evicted";
    case CoreEvent::Type::draining:
      return "draining";
    case CoreEvent::Type::drain_ended:
      return "drain_ended";
  }
  return "unknown";
}

/// No more than the descriptors of this process allow, and a warning when that is less than was asked for.
std::uint32_t allowed_sessions(std::uint32_t wanted) {
  const std::uint64_t descriptors = config::descriptor_limit();
  const std::uint32_t allowed = sessions_within(descriptors);
  if (allowed >= wanted) return wanted;
  spdlog::warn(
      "event=sessions_capped sessions={} max_sessions={} descriptors={} needed={} "
      "hint=\"raise the hard limit of open files, or lower max_sessions\"",
      allowed, wanted, descriptors, descriptors_for(wanted));
  return allowed;
}

CoreConfig core_config(const BrokerOptions& options, const StateDir& state) {
  CoreConfig config = options.core;
  config.max_sessions = allowed_sessions(config.max_sessions);
  config.shard_epoch = state.shard_epoch();
  config.is_restart = state.is_restart();
  config.expected_workers = state.roster();
  config.quarantines = state.quarantines();
  config.drains = state.drains();
  config.is_gone_proof = std::ranges::all_of(options.listen, &net::Endpoint::is_on_this_machine);
  return config;
}

}  // namespace

class BrokerShell::Impl {
 public:
  Impl(BrokerOptions options, StateDir state, StopSignals& signals, const Clock& clock, Random& random)
      : options_(std::move(options)),
        state_(std::move(state)),
        signals_(signals),
        clock_(clock),
        router_(context_),
        core_(core_config(options_, state_), random, clock.now(), clock.wall_now()) {}

  Result<> listen() {
    for (const net::Endpoint& endpoint : options_.listen) {
      auto lock = claim_ipc_path(endpoint);
      if (!lock) return fail(std::move(lock).error());
      auto bound = router_.bind(endpoint);
      if (!bound) return fail(std::move(bound).error());
      if (*lock) ipc_locks_.push_back(std::move(**lock));
      endpoints_.push_back(std::move(*bound));
    }
    return {};
  }

  Result<> serve_metrics() {
    if (!options_.metrics_port) return {};
    post_numbers();
    monitoring::MetricsServerOptions options{
        .address = options_.metrics_address,
        .is_insecure_allowed = options_.is_insecure_allowed,
        .port = *options_.metrics_port,
        .is_live =
            [this] { return clock_.now() - last_round_.load() < kStuckAfter ? "" : "the broker's loop is stuck"; },
        .is_ready = [this] { return is_stopping_ ? "the broker is stopping" : ""; }};
    auto server = monitoring::MetricsServer::start(std::move(options), {&board_, &process_metrics_}, clock_);
    if (!server) return fail(std::move(server).error());
    metrics_ = std::move(*server);
    return {};
  }

  [[nodiscard]] std::string ready_line() const {
    nlohmann::ordered_json line{{"event", "ready"}, {"endpoint", endpoints_.front()}, {"endpoints", endpoints_}};
    line["metrics_port"] = metrics_ ? metrics_->port() : 0;
    line["shard_epoch"] = state_.shard_epoch();
    return line.dump();
  }

  void run() {
    spdlog::info("event=broker_ready endpoint={} shard_epoch={} is_restart={}", log_text(endpoints_.front()),
                 state_.shard_epoch(), state_.is_restart());
    while (!is_done()) {
      wait();
      const TimePoint now = clock_.now();
      last_round_ = now;
      if (signals_.take() != 0) on_signal(now);
      take_round(now);
      if (now >= core_.next_wakeup()) core_.on_tick(now, clock_.wall_now());
      sink_.is_anyone_full = false;
      core_.flush(sink_, now);
      report();
      if (now >= next_numbers_) {
        next_numbers_ = now + kNumbersInterval;
        if (metrics_) post_numbers();
      }
    }
    spdlog::info("event=broker_stopped is_idle={}", core_.is_idle());
  }

 private:
  /// Notes whether a connection was full, so that the loop comes back soon.
  struct Sink final : FrameSink {
    explicit Sink(RouterSocket& router_socket) : router(router_socket) {}
    SendStatus send(PeerHandle peer, ByteBuffer& frame) override {
      const SendStatus status = router.send(peer, frame);
      if (status == SendStatus::full) is_anyone_full = true;
      return status;
    }
    RouterSocket& router;
    bool is_anyone_full = false;
  };

  void wait() {
    const TimePoint now = clock_.now();
    TimePoint until = std::min(now + (sink_.is_anyone_full ? kFullRetry : kLongestSleep), core_.next_wakeup());
    if (give_up_at_) until = std::min(until, *give_up_at_);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(Duration(0), until - now));
    std::array items{router_.poll_item(), zmq::pollitem_t{nullptr, signals_.fd(), ZMQ_POLLIN, 0}};
    try {
      zmq::poll(items.data(), items.size(), left);
    } catch (const zmq::error_t& failure) {
      // A debugger or SIGCONT interrupts the wait; the loop just goes round.
      if (failure.num() != EINTR) throw;
    }
  }

  void take_round(TimePoint now) {
    std::size_t bytes = 0;
    for (int i = 0; i < kMessagesPerRound && bytes < wire::kStepBytes; ++i) {
      const auto message = router_.receive();
      if (!message) return;
      bytes += message->bytes().size();
      core_.on_frame(message->peer, message->bytes(), now);
    }
  }

  void on_signal(TimePoint now) {
    if (is_stopping_) {
      give_up_at_ = now;
      return;
    }
    is_stopping_ = true;
    give_up_at_ = now + options_.drain_timeout;
    spdlog::info("event=broker_draining timeout_ms={}", options_.drain_timeout.count());
    core_.begin_shutdown(now);
  }

  [[nodiscard]] bool is_done() const {
    return is_stopping_ && (core_.is_idle() || clock_.now() >= *give_up_at_) && !sink_.is_anyone_full;
  }

  void report() {
    for (const CoreEvent& event : core_.take_events()) {
      if (event.type == CoreEvent::Type::roster_changed) {
        if (const auto saved = state_.save_roster(core_.roster()); !saved) {
          spdlog::warn("event=roster_not_saved reason={}", log_text(saved.error().message));
        }
        continue;
      }
      const bool is_quarantine = event.type == CoreEvent::Type::quarantined || event.type == CoreEvent::Type::released;
      if (is_quarantine) save_quarantines();
      if (event.type == CoreEvent::Type::draining || event.type == CoreEvent::Type::drain_ended) save_drains();
      const bool is_warning = is_quarantine || event.type == CoreEvent::Type::health_changed ||
                              event.type == CoreEvent::Type::sessions_full;
      const auto level = is_warning ? spdlog::level::warn : spdlog::level::info;
      spdlog::log(level, "event={} name={} reason={}", to_string(event.type), log_text(event.name),
                  log_text(event.reason));
    }
  }

  void save_quarantines() {
    if (const auto saved = state_.save_quarantines(core_.quarantines()); !saved) {
      spdlog::error("event=quarantines_not_saved reason={}", log_text(saved.error().message));
    }
  }

  void save_drains() {
    if (const auto saved = state_.save_drains(core_.drains()); !saved) {
      spdlog::error("event=drains_not_saved reason={}", log_text(saved.error().message));
    }
  }

  void post_numbers() {
    std::vector<wire::NamedNumber> numbers = core_.labelled_numbers();
    const RouterCounters& router = router_.counters();
    numbers.push_back({"parley_broker_transport_frames_total{direction=\"in\"}", router.frames_in});
    numbers.push_back({"parley_broker_transport_frames_total{direction=\"out\"}", router.frames_out});
    numbers.push_back({"parley_broker_transport_bytes_total{direction=\"in\"}", router.bytes_in});
    numbers.push_back({"parley_broker_transport_bytes_total{direction=\"out\"}", router.bytes_out});
    numbers.push_back({"parley_broker_transport_dropped_total{reason=\"foreign_routing_id\"}", router.foreign_ids});
    numbers.push_back({"parley_broker_transport_dropped_total{reason=\"multipart\"}", router.multipart});
    numbers.push_back({"parley_broker_transport_full_total", router.refused_sends});
    numbers.push_back({"parley_broker_transport_dead_connections_total", router.dead_connections});
    board_.post(numbers);
  }

  const BrokerOptions options_;
  StateDir state_;
  StopSignals& signals_;
  const Clock& clock_;
  zmq::context_t context_;
  RouterSocket router_;
  Sink sink_{router_};
  Core core_;
  std::vector<FileLock> ipc_locks_;
  std::vector<std::string> endpoints_;
  TimePoint next_numbers_;
  std::optional<TimePoint> give_up_at_;
  // Read by the health page's thread.
  std::atomic<bool> is_stopping_{false};
  std::atomic<TimePoint> last_round_{clock_.now()};
  monitoring::NumberBoard board_;
  monitoring::ProcessMetrics process_metrics_{"parley-broker"};
  std::unique_ptr<monitoring::MetricsServer> metrics_;
};

Result<std::unique_ptr<BrokerShell>> BrokerShell::start(BrokerOptions options, StopSignals& signals, const Clock& clock,
                                                        Random& random) {
  auto state = options.state_dir.empty() ? StateDir::in_memory(clock.wall_now()) : StateDir::open(options.state_dir);
  if (!state) return fail(std::move(state).error());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*state), signals, clock, random);
  if (auto listening = impl->listen(); !listening) return fail(std::move(listening).error());
  if (auto serving = impl->serve_metrics(); !serving) return fail(std::move(serving).error());
  return std::unique_ptr<BrokerShell>(new BrokerShell(std::move(impl)));
}

BrokerShell::BrokerShell(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BrokerShell::~BrokerShell() = default;
std::string BrokerShell::ready_line() const { return impl_->ready_line(); }
void BrokerShell::run() { impl_->run(); }

}  // namespace parley::broker
