#include "services/cli/bench_load.hpp"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/run_all.hpp"
#include "services/cli/feed.hpp"

namespace parley::cli {
namespace {

/// What the requesters of one run share.
class Load {
 public:
  Load(Bus& bus, const Target& target, const BenchPlan& plan)
      : bus_(bus),
        target_(target),
        plan_(plan),
        payload_(to_payload(messages::Text{std::string(plan.payload_bytes, 'x'), {}})),
        start_(bus.clock.now()),
        measured_from_(start_ + plan.warm_up),
        end_(measured_from_ + plan.duration),
        pacer_(start_, plan.rate) {}

  /// One of `window` requesters: takes the next number, waits until it is due, asks.
  Task<> request_until_end() {
    for (;;) {
      const TimePoint intended = plan_.rate == 0 ? bus_.clock.now() : pacer_.due(next_number_++);
      if (intended >= end_) co_return;
      if (intended > bus_.clock.now()) {
        asio::steady_timer timer(bus_.io, intended);
        co_await timer.async_wait(asio::use_awaitable);
      }
      co_await request_once(intended);
    }
  }

  [[nodiscard]] BenchResult take_result() {
    result_.elapsed = bus_.clock.now() - measured_from_;
    return std::move(result_);
  }

 private:
  Task<> request_once(TimePoint intended) {
    Target target = target_;
    Payload payload = payload_;
    CallOptions call;
    call.timeout = plan_.timeout;
    const Result<Payload> reply = co_await bus_.client.request(std::move(target), std::move(payload), std::move(call));
    if (intended < measured_from_) co_return;
    if (reply) {
      result_.latency_ns.record(static_cast<std::uint64_t>((bus_.clock.now() - intended).count()));
    } else {
      result_.failures[to_string(reply.error().code)]++;
    }
  }

  Bus& bus_;
  const Target& target_;
  const BenchPlan& plan_;
  Payload payload_;
  TimePoint start_;
  TimePoint measured_from_;
  TimePoint end_;
  Pacer pacer_;
  std::uint64_t next_number_ = 0;
  BenchResult result_;
};

}  // namespace

std::uint64_t BenchResult::failed() const {
  std::uint64_t sum = 0;
  for (const auto& [code, count] : failures) sum += count;
  return sum;
}

double BenchResult::per_second() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(latency_ns.count()) / seconds : 0;
}

Task<BenchResult> run_load(Bus& bus, const Target& target, const BenchPlan& plan) {
  Load load(bus, target, plan);
  std::vector<Task<>> requesters;
  requesters.reserve(plan.window);
  for (std::uint64_t i = 0; i < plan.window; ++i) requesters.push_back(load.request_until_end());
  co_await run_all(bus.io.get_executor(), std::move(requesters));
  co_return load.take_result();
}

}  // namespace parley::cli
