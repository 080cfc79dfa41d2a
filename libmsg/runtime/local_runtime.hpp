// Every agent in one process, no network: `parley up --standalone`, tests, examples. It hosts the broker's own pure
// core, so routing, parking, dead letters and errors are those of the bus by construction.
#pragma once

#include "broker/core/core.hpp"
#include "libmsg/runtime/runtime.hpp"

namespace parley {

struct LocalRuntimeOptions {
  std::string name = "local";
  broker::CoreConfig broker;
  HostLimits limits{};
};

class LocalRuntime final : public Runtime {
 public:
  /// Real time. `io` must outlive the runtime.
  explicit LocalRuntime(asio::io_context& io, LocalRuntimeOptions options = {});
  /// Virtual time: nothing happens by itself until advance(). `clock` must outlive the runtime.
  LocalRuntime(asio::io_context& io, ManualClock& clock, LocalRuntimeOptions options = {});
  ~LocalRuntime() override;

  /// Completes when no message is queued, running or under way any more.
  Task<> stop_when_idle();
  /// Virtual time only: moves the clock on and runs everything that falls due, in order.
  void advance(Duration step);

  Task<Result<>> start(std::chrono::milliseconds timeout = std::chrono::seconds(10)) override;
  Task<> stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) override;
  Task<Result<>> register_type(std::string type, AgentFactory factory, TypeOptions options = {}) override;
  Task<Result<>> register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options = {}) override;
  Task<Result<>> register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics = {},
                                  TypeOptions options = {}) override;
  Task<Result<>> unregister_type(std::string type) override;
  Task<Result<SubscriptionHandle>> subscribe(TopicFilter topics, std::string agent_type) override;
  Task<Result<>> unsubscribe(SubscriptionHandle handle) override;
  void add_interceptor(std::shared_ptr<Interceptor> interceptor) override;
  void set_turn_observer(TurnObserver observer) override;
  void set_span_sink(std::shared_ptr<SpanSink> sink) override;
  [[nodiscard]] Client& client() override;
  [[nodiscard]] Result<std::map<std::string, std::string>> save_state() override;
  Result<> load_state(const std::map<std::string, std::string>& states) override;
  Task<Result<Payload>> query(wire::Query query) override;
  Task<Result<wire::OperateReport>> operate(wire::Operate order) override;
  [[nodiscard]] std::map<std::string, TypeStats> stats() const override;
  [[nodiscard]] HostStats host_stats() const override;
  [[nodiscard]] bool is_connected() const override;
  void report_spend(std::string_view agent_type, const Spend& spend) override;
  [[nodiscard]] wire::WorkerVitals vitals() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley
