// The two runtimes that the suite compares, behind one face: `bus.runtime()` hosts agents, and a test cannot tell
// whether it is the local one or a worker with a real broker next to it. Tests use the public API only.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/runtime/local_runtime.hpp"
#include "libmsg/runtime/run.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "tests/conformance/broker_thread.hpp"

namespace parley::conformance {

struct Ask {
  static constexpr std::string_view kTypeName = "test.Ask";
  std::string text;
  std::int64_t number = 0;
  PARLEY_FIELDS(text, number)
};
struct Said {
  static constexpr std::string_view kTypeName = "test.Said";
  std::string text;
  std::int64_t number = 0;
  PARLEY_FIELDS(text, number)
};
struct Unheard {
  static constexpr std::string_view kTypeName = "test.Unheard";
  std::string text;
  PARLEY_FIELDS(text)
};

inline Target target(std::string_view text) { return Target::parse(text).value(); }
inline Topic topic(std::string_view text) { return Topic::parse(text).value(); }
inline TopicFilter filter(std::string_view text) { return TopicFilter::parse(text).value(); }
/// Instead of a braced list, which g++ 12 does not take within a co_await expression.
template <class... Texts>
std::vector<TopicFilter> filters(Texts... texts) {
  return {filter(texts)...};
}
inline Ask ask(std::string text, std::int64_t number = 0) { return {std::move(text), number}; }
// Functions, because g++ 12 copies a braced aggregate with a std::string wrongly within a co_await expression.
inline Said said(std::string text, std::int64_t number = 0) { return {std::move(text), number}; }
inline Unheard unheard() { return {"?"}; }
inline Payload asked(std::string text, std::int64_t number = 0) { return to_payload(ask(std::move(text), number)); }
inline CallOptions within(std::chrono::milliseconds timeout) {
  CallOptions options;
  options.timeout = timeout;
  return options;
}
template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : to_string(result.error().code);
}

/// Recipients of a published event; -1 when publishing failed.
inline int recipients_of(const Result<std::uint32_t>& result) { return result ? static_cast<int>(*result) : -1; }

/// An agent made of a function, with the type of its messages.
template <class Handler>
Closure on_ask(Handler handler) {
  return [handler](const Payload& message, Context& context) -> Task<Result<Payload>> {
    const Result<Ask> asked = from_payload<Ask>(message);
    if (!asked) co_return fail(asked.error());
    co_return co_await handler(*asked, context);
  };
}

class Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;
  [[nodiscard]] virtual Runtime& runtime() = 0;
  /// Another process of the same bus; for the local runtime there is only the one.
  [[nodiscard]] virtual Runtime& other() = 0;
  asio::io_context io;
};

class LocalBus final : public Bus {
 public:
  LocalBus() : runtime_(io) {}
  [[nodiscard]] Runtime& runtime() override { return runtime_; }
  [[nodiscard]] Runtime& other() override { return runtime_; }

 private:
  LocalRuntime runtime_;
};

class WorkerBus final : public Bus {
 public:
  WorkerBus() : runtime_(make("first")), other_(make("second")) {}
  [[nodiscard]] Runtime& runtime() override { return *runtime_; }
  [[nodiscard]] Runtime& other() override { return *other_; }
  /// The second process is gone without a stop.
  void lose_other() { other_.reset(); }
  [[nodiscard]] std::string endpoint() const { return broker_.endpoint(); }
  [[nodiscard]] bool has_other() const { return other_ != nullptr; }
  /// The broker dies and comes back at the same address, remembering nothing.
  void restart_broker() {
    broker_.stop();
    broker_.start();
  }

 private:
  std::unique_ptr<Runtime> make(const std::string& name) {
    WorkerRuntimeOptions options;
    options.name = name;
    options.brokers = {broker_.endpoint()};
    return make_worker_runtime(io, std::move(options)).value();
  }
  BrokerThread broker_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Runtime> other_;
};

/// Runs a test's coroutine between start and stop of the runtimes.
template <class BusType>
class Conformance : public ::testing::Test {
 protected:
  using Script = std::function<Task<>(Runtime&)>;

  void run(const Script& script) { run_until(bus_.io, whole(script)); }
  /// What arrives at an agent of this type is written down as `prefix` + text, in order.
  Task<> record(std::string type, std::vector<TopicFilter> topics = {}, std::string prefix = {}) {
    const auto handler = [this, prefix](const Ask& message, Context&) -> Task<Result<Payload>> {
      heard_.push_back(prefix + message.text);
      co_return Payload{};
    };
    const Result<> registered =
        co_await bus_.runtime().register_closure(std::move(type), on_ask(handler), std::move(topics));
    EXPECT_EQ(code_of(registered), "ok");
  }
  Task<> serve(std::string type, Closure closure, TypeOptions options = {}) {
    const Result<> registered =
        co_await bus_.runtime().register_closure(std::move(type), std::move(closure), {}, std::move(options));
    EXPECT_EQ(code_of(registered), "ok");
  }
  Task<> pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(bus_.io, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }
  /// Waits until `condition` holds, at most 5 s.
  Task<bool> eventually(std::function<bool()> condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) co_return true;
      co_await pause(std::chrono::milliseconds(5));
    }
    co_return false;
  }
  Task<wire::DeadLetterReport> dead_letters() {
    wire::Query query;
    query.what = "dead_letters";
    const Result<Payload> answer = co_await bus_.runtime().query(query);
    EXPECT_EQ(code_of(answer), "ok");
    if (!answer) co_return wire::DeadLetterReport{};
    co_return wire::decode_body<wire::DeadLetterReport>(as_bytes(answer->bytes)).value();
  }
  /// Codes of the dead letters once there are `count`.
  Task<std::vector<std::string>> dead_letter_codes(std::size_t count) {
    wire::DeadLetterReport report;
    for (int i = 0; i < 500; ++i) {
      report = co_await dead_letters();
      if (report.rows.size() >= count) break;
      co_await pause(std::chrono::milliseconds(10));
    }
    std::vector<std::string> codes;
    codes.reserve(report.rows.size());
    for (const auto& row : report.rows) codes.push_back(row.code);
    co_return codes;
  }

  BusType bus_;
  std::vector<std::string> heard_;

 private:
  Task<> whole(const Script& script) {
    EXPECT_EQ(code_of(co_await bus_.runtime().start(std::chrono::seconds(10))), "ok");
    if (&bus_.other() != &bus_.runtime()) {
      EXPECT_EQ(code_of(co_await bus_.other().start(std::chrono::seconds(10))), "ok");
    }
    co_await script(bus_.runtime());
    if (&bus_.other() != &bus_.runtime()) co_await bus_.other().stop(std::chrono::milliseconds(200));
    co_await bus_.runtime().stop(std::chrono::milliseconds(200));
  }
};

using Buses = ::testing::Types<LocalBus, WorkerBus>;
class BusNames {
 public:
  template <class T>
  static std::string GetName(int) {
    return std::is_same_v<T, LocalBus> ? "local" : "worker";
  }
};

}  // namespace parley::conformance
