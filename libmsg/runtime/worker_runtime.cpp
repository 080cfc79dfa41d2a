#include "libmsg/runtime/worker_runtime.hpp"

#include <utility>

#include "libmsg/core/duration.hpp"
#include "libmsg/net/io_thread.hpp"
#include "libmsg/net/process_vitals.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"

namespace parley {
namespace {

/// The I/O thread as an AgentHost sees it.
class IoPort final : public Port {
 public:
  explicit IoPort(std::unique_ptr<net::IoThread> thread) : thread_(std::move(thread)) {}

  [[nodiscard]] std::size_t connection_count() const override { return thread_->connection_count(); }
  void start() override { thread_->start(); }
  void stop(const std::string& reason) override { thread_->stop(reason); }
  void add_type(std::size_t connection, wire::TypeRegistration type) override {
    thread_->add_type(connection, std::move(type));
  }
  void remove_type(std::size_t connection, std::string name) override {
    thread_->remove_type(connection, std::move(name));
  }
  void add_subscription(std::size_t connection, wire::SubscriptionBody subscription) override {
    thread_->add_subscription(connection, std::move(subscription));
  }
  void remove_subscription(std::size_t connection, std::uint64_t id) override {
    thread_->remove_subscription(connection, id);
  }
  void submit(std::size_t connection, ByteBuffer batch, SessionToken session) override {
    thread_->submit(connection, std::move(batch), session);
  }
  void consumed(std::size_t connection, const net::Frame& frame) override { thread_->consumed(connection, frame); }
  bool take_inbound(std::vector<net::Inbound>& into) override { return thread_->take_inbound(into); }
  [[nodiscard]] TimePoint lease_until(std::size_t connection, SessionToken session) const override {
    return thread_->lease_until(connection, session);
  }

 private:
  std::unique_ptr<net::IoThread> thread_;
};

class WorkerRuntime final : public Runtime {
 public:
  WorkerRuntime(asio::io_context& io, std::uint64_t memory_limit_bytes, const HostLimits& limits)
      : memory_limit_bytes_(memory_limit_bytes),
        means_(std::make_shared<Means>()),
        host_(AgentHost::make(io, means_->clock, means_->random, AgentHost::Timing::real, limits)) {
    host_->keep_alive(means_);
  }
  ~WorkerRuntime() override { host_->close(); }

  Result<> open(net::IoThreadOptions options) {
    options.link.incarnation = means_->random.next();
    options.link.vitals = [board = host_->vitals_board(), weak = std::weak_ptr(host_),
                           limit = memory_limit_bytes_](TimePoint now) {
      ByteBuffer body = wire::encode_body(net::with_process(board->read(now), limit));
      if (board->ask(now)) {
        if (const auto host = weak.lock()) host->wake();
      }
      return body;
    };
    auto thread = net::IoThread::make(std::move(options), [weak = std::weak_ptr(host_)] {
      if (const auto host = weak.lock()) host->wake();
    });
    if (!thread) return fail(std::move(thread).error());
    host_->attach(std::make_unique<IoPort>(std::move(*thread)));
    return {};
  }

  Task<Result<>> start(std::chrono::milliseconds timeout) override { return host_->start(timeout); }
  Task<> stop(std::chrono::milliseconds grace) override { return host_->stop(grace); }
  Task<Result<>> register_type(std::string type, AgentFactory factory, TypeOptions options) override {
    return host_->register_type(std::move(type), std::move(factory), std::move(options));
  }
  Task<Result<>> register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options) override {
    return host_->register_instance(std::move(id), std::move(agent), std::move(options));
  }
  Task<Result<>> register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics,
                                  TypeOptions options) override {
    return host_->register_closure(std::move(type), std::move(closure), std::move(topics), std::move(options));
  }
  Task<Result<>> unregister_type(std::string type) override { return host_->unregister_type(std::move(type)); }
  Task<Result<SubscriptionHandle>> subscribe(TopicFilter topics, std::string agent_type) override {
    return host_->subscribe(std::move(topics), std::move(agent_type));
  }
  Task<Result<>> unsubscribe(SubscriptionHandle handle) override { return host_->unsubscribe(handle); }
  void add_interceptor(std::shared_ptr<Interceptor> interceptor) override {
    host_->add_interceptor(std::move(interceptor));
  }
  void set_turn_observer(TurnObserver observer) override { host_->set_turn_observer(std::move(observer)); }
  void set_span_sink(std::shared_ptr<SpanSink> sink) override { host_->set_span_sink(std::move(sink)); }
  [[nodiscard]] Client& client() override { return host_->client(); }
  [[nodiscard]] Result<std::map<std::string, std::string>> save_state() override { return host_->save_state(); }
  Result<> load_state(const std::map<std::string, std::string>& states) override { return host_->load_state(states); }
  Task<Result<Payload>> query(wire::Query query) override { return host_->query(std::move(query)); }
  Task<Result<wire::OperateReport>> operate(wire::Operate order) override { return host_->operate(std::move(order)); }
  [[nodiscard]] std::map<std::string, TypeStats> stats() const override { return host_->stats(); }
  [[nodiscard]] HostStats host_stats() const override { return host_->host_stats(); }
  [[nodiscard]] bool is_connected() const override { return host_->is_connected(); }
  void report_spend(std::string_view agent_type, const Spend& spend) override {
    host_->report_spend(agent_type, spend);
  }
  [[nodiscard]] wire::WorkerVitals vitals() const override {
    return net::with_process(host_->vitals_board()->read(means_->clock.now()), memory_limit_bytes_);
  }

 private:
  std::uint64_t memory_limit_bytes_;
  struct Means {
    SystemClock clock;
    SystemRandom random;
  };
  std::shared_ptr<Means> means_;     ///< shared with the host
  std::shared_ptr<AgentHost> host_;  ///< shared with the coroutines that still run in it
};

}  // namespace

Error no_broker_answers(const std::vector<std::string>& endpoints, std::chrono::milliseconds waited) {
  std::string text = "no broker answers at ";
  for (const std::string& endpoint : endpoints) text += (&endpoint == &endpoints.front() ? "" : ", ") + endpoint;
  text += " within " + format_duration(waited) + " (is one running? try: parley up)";
  return {ErrorCode::unreachable, std::move(text)};
}

Result<std::unique_ptr<Runtime>> make_worker_runtime(asio::io_context& io, WorkerRuntimeOptions options) {
  if (options.brokers.empty()) return fail(ErrorCode::bad_configuration, "a worker needs the endpoint of a broker");
  net::IoThreadOptions thread;
  thread.endpoints = std::move(options.brokers);
  thread.is_insecure_allowed = options.is_insecure_allowed;
  thread.link.name = std::move(options.name);
  thread.link.credit_bytes = options.credit_bytes;
  auto runtime = std::make_unique<WorkerRuntime>(io, options.memory_limit_bytes, options.limits);
  if (Result<> opened = runtime->open(std::move(thread)); !opened) return fail(std::move(opened).error());
  return runtime;
}

}  // namespace parley
