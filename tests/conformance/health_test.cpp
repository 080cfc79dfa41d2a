// How the bus sees its agents: the same on both runtimes, by what they do and not by what they say.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <atomic>
#include <gmock/gmock.h>
#include <stdexcept>
#include <thread>

#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

Task<wire::PsReport> ps(Runtime& runtime) {
  wire::Query query;
  query.what = "ps";
  const Result<Payload> answer = co_await runtime.query(query);
  EXPECT_EQ(code_of(answer), "ok");
  if (!answer) co_return wire::PsReport{};
  co_return wire::decode_body<wire::PsReport>(as_bytes(answer->bytes)).value();
}

wire::PsType type_in(const wire::PsReport& report, const std::string& name) {
  const auto found = std::ranges::find(report.types, name, &wire::PsType::name);
  return found == report.types.end() ? wire::PsType{} : *found;
}

/// The peer that hosts the type.
wire::PsPeer host_in(const wire::PsReport& report, const std::string& type) {
  const auto found = std::ranges::find_if(
      report.peers, [&](const wire::PsPeer& peer) { return std::ranges::find(peer.types, type) != peer.types.end(); });
  return found == report.peers.end() ? wire::PsPeer{} : *found;
}

template <class BusType>
class Health : public Conformance<BusType> {
 protected:
  /// The report in which the type is `health`; the last one seen when it does not become that within 8 s.
  Task<wire::PsReport> until(std::string type, std::string health) {
    wire::PsReport report;
    for (int i = 0; i < 400; ++i) {
      report = co_await ps(this->bus_.runtime());
      if (type_in(report, type).health == health) break;
      co_await this->pause(20ms);
    }
    EXPECT_EQ(type_in(report, type).health, health) << type_in(report, type).health_reason;
    co_return report;
  }
  Task<> ask_times(Runtime& runtime, std::string agent, int times) {
    for (int i = 0; i < times; ++i) (void)co_await runtime.client().request(target(agent), asked(""), within(5s));
  }
};
TYPED_TEST_SUITE(Health, Buses, BusNames);

TYPED_TEST(Health, five_failures_in_a_row_make_a_type_unhealthy_and_a_success_healthy) {
  this->run([this](Runtime& runtime) -> Task<> {
    bool is_broken = true;
    const auto handler = [&is_broken](const Ask&, Context&) -> Task<Result<Payload>> {
      if (is_broken) throw std::runtime_error("boom");
      co_return Payload{};
    };
    co_await this->serve("fragile", on_ask(handler));
    co_await this->ask_times(runtime, "fragile/a", 5);
    const wire::PsReport sick = co_await this->until("fragile", "unhealthy");
    EXPECT_TRUE(host_in(sick, "fragile").should_restart);
    EXPECT_EQ(host_in(sick, "fragile").health_cause, "failures");
    EXPECT_EQ(host_in(sick, "fragile").vitals.activations.at(0).id, "fragile/a");
    is_broken = false;
    co_await this->ask_times(runtime, "fragile/a", 1);
    const wire::PsReport well = co_await this->until("fragile", "healthy");
    EXPECT_EQ(host_in(well, "fragile").vitals.types.at(0).failures, 5U);
    EXPECT_EQ(host_in(well, "fragile").vitals.types.at(0).successes, 1U);
  });
}

TYPED_TEST(Health, failures_of_the_model_only_degrade) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto handler = [](const Ask&, Context& context) -> Task<Result<Payload>> {
      context.report_model_failure();
      throw std::runtime_error("what the model's failure led to");
      co_return Payload{};
    };
    co_await this->serve("thinker", on_ask(handler));
    co_await this->ask_times(runtime, "thinker/a", 8);
    const wire::PsReport report = co_await this->until("thinker", "degraded");
    EXPECT_FALSE(host_in(report, "thinker").should_restart);
    EXPECT_EQ(host_in(report, "thinker").vitals.types.at(0).failures, 0U);
    EXPECT_EQ(host_in(report, "thinker").vitals.types.at(0).model_failures, 8U);
  });
}

TYPED_TEST(Health, faults_of_the_caller_are_not_the_agents) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto handler = [](const Ask&, Context&) -> Task<Result<Payload>> {
      co_return fail(ErrorCode::invalid, "not like this");
    };
    co_await this->serve("strict", on_ask(handler));
    co_await this->ask_times(runtime, "strict/a", 8);
    co_await this->pause(1100ms);  // a heartbeat
    EXPECT_EQ(type_in(co_await ps(runtime), "strict").health, "healthy");
  });
}

TYPED_TEST(Health, handler_that_never_returns_is_seen_and_the_agents_that_wait_for_it_are_not_blamed) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions impatient;
    impatient.progress_timeout = 300ms;
    const auto hang = [](const Ask&, Context& context) -> Task<Result<Payload>> {
      (void)co_await context.sleep(60s);
      co_return Payload{};
    };
    const auto delegate = [](const Ask&, Context& context) -> Task<Result<Payload>> {
      co_return co_await context.request(target("hanging/x"), asked(""), within(60s));
    };
    co_await this->serve("hanging", on_ask(hang), impatient);
    co_await this->serve("waiting", on_ask(delegate), impatient);
    asio::co_spawn(this->bus_.io, this->ask_times(runtime, "waiting/a", 1), asio::detached);
    const wire::PsReport report = co_await this->until("hanging", "unhealthy");
    EXPECT_EQ(host_in(report, "hanging").health_cause, "no_progress");
    EXPECT_EQ(type_in(report, "waiting").health, "healthy");
    EXPECT_THAT(host_in(report, "hanging").vitals.executing, ::testing::Contains("hanging/x"));
  });
}

TYPED_TEST(Health, handler_that_shows_progress_may_take_its_time) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions impatient;
    impatient.progress_timeout = 1s;
    bool is_over = false;
    const auto stream = [this, &is_over](const Ask&, Context& context) -> Task<Result<Payload>> {
      for (int i = 0; i < 60; ++i) {
        context.report_progress();
        co_await this->pause(50ms);
      }
      is_over = true;
      co_return Payload{};
    };
    co_await this->serve("streaming", on_ask(stream), impatient);
    asio::co_spawn(this->bus_.io, this->ask_times(runtime, "streaming/a", 1), asio::detached);
    while (!is_over) {
      const wire::PsReport report = co_await ps(runtime);
      EXPECT_EQ(type_in(report, "streaming").health, "healthy") << type_in(report, "streaming").health_reason;
      co_await this->pause(100ms);
    }
  });
}

TYPED_TEST(Health, idle_agents_are_never_stale) {
  this->run([this](Runtime& runtime) -> Task<> {
    TypeOptions impatient;
    impatient.progress_timeout = 50ms;
    const auto handler = [](const Ask&, Context&) -> Task<Result<Payload>> { co_return Payload{}; };
    co_await this->serve("idle", on_ask(handler), impatient);
    co_await this->ask_times(runtime, "idle/a", 3);
    co_await this->pause(1200ms);  // a heartbeat, and much longer than the limit
    const wire::PsReport report = co_await ps(runtime);
    EXPECT_EQ(type_in(report, "idle").health, "healthy");
    EXPECT_GT(type_in(report, "idle").latency_p95_us, 0U);
  });
}

TYPED_TEST(Health, activation_at_work_can_be_asked_how_it_is) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto hang = [](const Ask&, Context& context) -> Task<Result<Payload>> {
      (void)co_await context.sleep(60s);
      co_return Payload{};
    };
    co_await this->serve("hanging", on_ask(hang));
    asio::co_spawn(this->bus_.io, this->ask_times(runtime, "hanging/x", 1), asio::detached);
    asio::co_spawn(this->bus_.io, this->ask_times(runtime, "hanging/x", 1), asio::detached);
    wire::ActivationVitals vitals;
    for (int i = 0; i < 400 && (vitals.inflight == 0 || vitals.waiting == 0); ++i) {
      co_await this->pause(20ms);
      wire::Query query;
      query.what = "activation";
      query.key = "hanging/x";
      const Result<Payload> answer = co_await runtime.query(query);
      if (!answer) continue;  // It is not placed yet.
      vitals = wire::decode_body<wire::ActivationReport>(as_bytes(answer->bytes)).value().vitals;
    }
    EXPECT_EQ(vitals.id, "hanging/x");
    EXPECT_EQ(vitals.inflight, 1U);
    EXPECT_EQ(vitals.waiting, 1U);
  });
}

TYPED_TEST(Health, quarantined_agent_answers_so_at_once_until_its_release) {
  this->run([this](Runtime& runtime) -> Task<> {
    const auto handler = [](const Ask&, Context&) -> Task<Result<Payload>> { co_return Payload{}; };
    co_await this->serve("poison", on_ask(handler));
    wire::Operate order;
    order.what = "quarantine";
    order.key = "poison/a";
    EXPECT_EQ(code_of(co_await runtime.operate(order)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("poison/a"), asked(""))), "quarantined");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("poison/b"), asked(""))), "ok");
    order.what = "release";
    EXPECT_EQ(code_of(co_await runtime.operate(order)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("poison/a"), asked(""))), "ok");
  });
}

TYPED_TEST(Health, evicted_agent_starts_anew) {
  this->run([this](Runtime& runtime) -> Task<> {
    int made = 0;
    EXPECT_EQ(code_of(co_await runtime.register_type("counted",
                                                     [&made](const AgentId&) {
                                                       class Quiet final : public Agent {
                                                         Task<Result<Payload>> handle(const Payload&,
                                                                                      Context&) override {
                                                           co_return Payload{};
                                                         }
                                                       };
                                                       made++;
                                                       return std::make_unique<Quiet>();
                                                     })),
              "ok");
    co_await this->ask_times(runtime, "counted/a", 2);
    EXPECT_EQ(made, 1);
    wire::Operate order;
    order.what = "evict";
    order.key = "counted/a";
    EXPECT_EQ(code_of(co_await runtime.operate(order)), "ok");
    EXPECT_EQ(code_of(co_await runtime.client().request(target("counted/a"), asked(""), within(5s))), "ok");
    EXPECT_EQ(made, 2);
  });
}

/// A worker in a thread of its own, whose one agent keeps the loop to itself until told.
class Spinner {
 public:
  explicit Spinner(const std::string& endpoint) {
    WorkerRuntimeOptions options;
    options.name = "spinner";
    options.brokers = {endpoint};
    runtime_ = make_worker_runtime(io_, std::move(options)).value();
    thread_ = std::thread([this] { run_until(io_, serve()); });
  }
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;
  ~Spinner() {
    is_let_go_ = true;
    thread_.join();
  }

 private:
  Task<> serve() {
    const auto spin = [this](const Ask&, Context&) -> Task<Result<Payload>> {
      while (!is_let_go_) std::this_thread::yield();
      co_return Payload{};
    };
    EXPECT_EQ(code_of(co_await runtime_->register_closure("spinning", on_ask(spin))), "ok");
    EXPECT_EQ(code_of(co_await runtime_->start(10s)), "ok");
    while (!is_let_go_) {
      asio::steady_timer timer(io_, 10ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_await runtime_->stop(1s);
  }

  asio::io_context io_;
  std::unique_ptr<Runtime> runtime_;
  std::atomic<bool> is_let_go_{false};
  std::thread thread_;
};

using WorkerHealth = Health<WorkerBus>;

TEST_F(WorkerHealth, handler_that_spins_cannot_hide_behind_its_heartbeats) {
  this->run([this](Runtime& runtime) -> Task<> {
    const Spinner spinner(this->bus_.endpoint());
    wire::PsReport report = co_await this->until("spinning", "healthy");
    asio::co_spawn(this->bus_.io, this->ask_times(runtime, "spinning/a", 1), asio::detached);
    report = co_await this->until("spinning", "degraded");
    const wire::PsPeer host = host_in(report, "spinning");
    EXPECT_EQ(host.health_cause, "loop_lag");
    EXPECT_GE(host.vitals.loop_lag_ms, 1000U);
    EXPECT_LT(host.idle_ms, 3000U) << "its heartbeats go on";
    EXPECT_EQ(host.vitals.executing, std::vector<std::string>{"spinning/a"});
    EXPECT_GE(host.vitals.types.at(0).oldest_without_progress_ms, 1000U);
  });
}

}  // namespace
}  // namespace parley::conformance
