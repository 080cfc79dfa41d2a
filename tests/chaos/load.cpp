#include "tests/chaos/load.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "libmsg/messages/text.hpp"

namespace parley::chaos {
namespace {

constexpr std::chrono::milliseconds kBetweenCalls{2};
constexpr std::chrono::milliseconds kBeforeRepetition{20};

}  // namespace

Task<> pause(asio::io_context& io, Duration time) {
  asio::steady_timer timer(io, time);
  co_await timer.async_wait(asio::use_awaitable);
}

Load::Load(asio::io_context& io, const Clock& clock, Client& client, std::string type)
    : io_(io), clock_(clock), client_(client), type_(std::move(type)) {}

void Load::start(int callers) {
  for (int caller = 0; caller < callers; ++caller) {
    running_++;
    asio::co_spawn(io_, call_for_ever(caller), asio::detached);
  }
}

Task<> Load::stop(Duration patience) {
  is_stopping_ = true;
  const TimePoint until = clock_.now() + patience;
  while (running_ > 0 && clock_.now() < until) co_await pause(io_, std::chrono::milliseconds(10));
  numbers_.open = static_cast<std::uint64_t>(running_);
}

void Load::mark(TimePoint moment) {
  moment_ = moment;
  marked_ = clock_.now();
  first_answer_.reset();
}

Task<std::optional<Duration>> Load::time_to_answer(Duration patience) {
  while (!first_answer_ && clock_.now() - marked_ < patience) co_await pause(io_, std::chrono::milliseconds(5));
  co_return first_answer_;
}

void Load::note_answer(TimePoint began) {
  numbers_.answered++;
  if (began > marked_ && !first_answer_) first_answer_ = clock_.now() - moment_;
}

Task<> Load::call_for_ever(int caller) {
  const Target target = *Target::parse(type_ + "/caller" + std::to_string(caller));
  for (std::uint64_t number = 0; !is_stopping_; ++number) {
    co_await call(target, std::to_string(caller) + ":" + std::to_string(number));
    co_await pause(io_, kBetweenCalls);
  }
  running_--;
}

Task<> Load::call(Target target, std::string text) {
  numbers_.requests++;
  const TimePoint deadline = clock_.now() + kDeadline;
  for (;;) {
    const TimePoint began = clock_.now();
    CallOptions options;
    options.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline - began);
    const messages::Text message{text, ""};
    const auto answer = co_await client_.request<messages::Text>(target, message, options);
    if (clock_.now() > deadline + std::chrono::seconds(1)) numbers_.late++;
    if (answer) {
      if (answer->text != text) numbers_.wrong++;
      note_answer(began);
      co_return;
    }
    const std::string code = to_string(answer.error().code);
    if (!answer.error().retryable || clock_.now() + kBeforeRepetition >= deadline) {
      numbers_.failed++;
      numbers_.failures[code]++;
      co_return;
    }
    numbers_.losses[code]++;
    numbers_.repeated++;
    co_await pause(io_, kBeforeRepetition);
  }
}

}  // namespace parley::chaos
