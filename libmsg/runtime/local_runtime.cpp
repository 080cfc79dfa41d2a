#include "libmsg/runtime/local_runtime.hpp"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <utility>

#include "libmsg/net/process_vitals.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/local_port.hpp"
#include "libmsg/runtime/turn.hpp"

namespace parley {

class LocalRuntime::Impl {
 public:
  Impl(asio::io_context& io, ManualClock* manual, LocalRuntimeOptions options)
      : io_(io),
        manual_(manual),
        means_(std::make_shared<Means>()),
        clock_(manual == nullptr ? static_cast<Clock&>(means_->clock) : *manual),
        timer_(io) {
    const auto timing = manual == nullptr ? AgentHost::Timing::real : AgentHost::Timing::stepped;
    host_ = AgentHost::make(io_, clock_, means_->random, timing, options.limits);
    host_->keep_alive(means_);
    std::weak_ptr<AgentHost> weak = host_;
    const auto on_inbound = [weak] {
      if (const auto host = weak.lock()) host->wake();
    };
    const auto vitals = [weak](TimePoint now) {
      const auto host = weak.lock();
      return host ? wire::encode_body(vitals_of(*host, now)) : ByteBuffer();
    };
    auto port = std::make_unique<LocalPort>(
        std::move(options.name), std::move(options.broker), clock_, means_->random, on_inbound, [this] { arm_timer(); },
        vitals);
    port_ = port.get();
    host_->attach(std::move(port));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    timer_.cancel();
    host_->close();
  }

  AgentHost& host() { return *host_; }
  [[nodiscard]] wire::WorkerVitals vitals() const {
    return net::with_process(host_->vitals_board()->read(clock_.now()), 0);
  }
  [[nodiscard]] bool is_idle() const { return host_->is_idle() && port_->is_idle(); }

  void advance(Duration step) {
    if (manual_ == nullptr) return;
    const TimePoint target = manual_->now() + step;
    for (;;) {
      settle();
      const TimePoint next = std::min(host_->next_wakeup(), port_->next_wakeup());
      if (next > target) break;
      manual_->set(std::max(next, manual_->now()));
      port_->tick();
      host_->run_due();
    }
    manual_->set(target);
    settle();
  }

  /// Real time: the link's and the broker's own deadlines.
  void arm_timer() {
    if (manual_ != nullptr) return;
    const TimePoint next = port_->next_wakeup();
    if (next >= timer_at_) return;
    timer_at_ = next;
    timer_.expires_at(next);
    timer_.async_wait([this](const asio::error_code& error) {
      if (error) return;
      timer_at_ = TimePoint::max();
      port_->tick();
      host_->wake();  // Somebody may wait for the broker to be idle.
    });
  }

 private:
  /// Whoever asks runs on the loop, so there is fresh news and no lag.
  static wire::WorkerVitals vitals_of(AgentHost& host, TimePoint now) {
    host.post_vitals();
    return net::with_process(host.vitals_board()->read(now), 0);
  }

  /// Runs everything that needs no time.
  void settle() {
    if (io_.stopped()) io_.restart();
    while (io_.poll() > 0) {
    }
  }

  asio::io_context& io_;
  ManualClock* manual_;
  struct Means {
    SystemClock clock;
    SystemRandom random;
  };
  std::shared_ptr<Means> means_;  ///< shared with the host
  Clock& clock_;
  std::shared_ptr<AgentHost> host_;  ///< shared with the coroutines that still run in it
  LocalPort* port_ = nullptr;        ///< owned by the host
  asio::steady_timer timer_;
  TimePoint timer_at_{TimePoint::max()};
};

LocalRuntime::LocalRuntime(asio::io_context& io, LocalRuntimeOptions options)
    : impl_(std::make_unique<Impl>(io, nullptr, std::move(options))) {}
LocalRuntime::LocalRuntime(asio::io_context& io, ManualClock& clock, LocalRuntimeOptions options)
    : impl_(std::make_unique<Impl>(io, &clock, std::move(options))) {}
LocalRuntime::~LocalRuntime() = default;

Task<> LocalRuntime::stop_when_idle() {
  co_await impl_->host().wait_for([impl = impl_.get()] { return impl->is_idle(); });
  co_await impl_->host().stop(std::chrono::seconds(10));
}

void LocalRuntime::advance(Duration step) { impl_->advance(step); }

Task<Result<>> LocalRuntime::start(std::chrono::milliseconds timeout) { return impl_->host().start(timeout); }
Task<> LocalRuntime::stop(std::chrono::milliseconds grace) { return impl_->host().stop(grace); }
Task<Result<>> LocalRuntime::register_type(std::string type, AgentFactory factory, TypeOptions options) {
  return impl_->host().register_type(std::move(type), std::move(factory), std::move(options));
}
Task<Result<>> LocalRuntime::register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options) {
  return impl_->host().register_instance(std::move(id), std::move(agent), std::move(options));
}
Task<Result<>> LocalRuntime::register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics,
                                              TypeOptions options) {
  return impl_->host().register_closure(std::move(type), std::move(closure), std::move(topics), std::move(options));
}
Task<Result<>> LocalRuntime::unregister_type(std::string type) {
  return impl_->host().unregister_type(std::move(type));
}
Task<Result<SubscriptionHandle>> LocalRuntime::subscribe(TopicFilter topics, std::string agent_type) {
  return impl_->host().subscribe(std::move(topics), std::move(agent_type));
}
Task<Result<>> LocalRuntime::unsubscribe(SubscriptionHandle handle) { return impl_->host().unsubscribe(handle); }
void LocalRuntime::add_interceptor(std::shared_ptr<Interceptor> interceptor) {
  impl_->host().add_interceptor(std::move(interceptor));
}
void LocalRuntime::set_turn_observer(TurnObserver observer) { impl_->host().set_turn_observer(std::move(observer)); }
void LocalRuntime::set_span_sink(std::shared_ptr<SpanSink> sink) { impl_->host().set_span_sink(std::move(sink)); }
Client& LocalRuntime::client() { return impl_->host().client(); }
Result<std::map<std::string, std::string>> LocalRuntime::save_state() { return impl_->host().save_state(); }
Result<> LocalRuntime::load_state(const std::map<std::string, std::string>& states) {
  return impl_->host().load_state(states);
}
Task<Result<Payload>> LocalRuntime::query(wire::Query query) { return impl_->host().query(std::move(query)); }
Task<Result<wire::OperateReport>> LocalRuntime::operate(wire::Operate order) {
  return impl_->host().operate(std::move(order));
}
std::map<std::string, TypeStats> LocalRuntime::stats() const { return impl_->host().stats(); }
HostStats LocalRuntime::host_stats() const { return impl_->host().host_stats(); }
bool LocalRuntime::is_connected() const { return impl_->host().is_connected(); }
void LocalRuntime::report_spend(std::string_view agent_type, const Spend& spend) {
  impl_->host().report_spend(agent_type, spend);
}
wire::WorkerVitals LocalRuntime::vitals() const { return impl_->vitals(); }

}  // namespace parley
