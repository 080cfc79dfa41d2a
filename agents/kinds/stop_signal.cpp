#include "agents/kinds/stop_signal.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <exception>
#include <utility>
#include <variant>

namespace parley::kinds {
namespace {

/// Keeps an exception for later: the race below waits for both sides when one of them throws.
Task<> run_or_keep(Task<> work, std::exception_ptr& thrown) {
  try {
    co_await std::move(work);
  } catch (...) {
    thrown = std::current_exception();
  }
}

}  // namespace

void StopSignal::order() {
  is_ordered_ = true;
  if (waiting_) std::exchange(waiting_, nullptr)(true);
}

Task<bool> StopSignal::run(Task<> work) {
  using asio::experimental::awaitable_operators::operator||;
  if (is_ordered_) co_return false;
  std::exception_ptr thrown;
  const std::variant<std::monostate, std::monostate> first =
      co_await (run_or_keep(std::move(work), thrown) || until_ordered());
  if (first.index() == 1) co_return false;
  if (thrown) std::rethrow_exception(thrown);
  co_return true;
}

Task<> StopSignal::until_ordered() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto start = [this, executor](Resume<bool> resume, asio::cancellation_slot slot) {
    waiting_ = std::move(resume);
    if (!slot.is_connected()) return;
    slot.assign([this, executor](asio::cancellation_type) {
      if (!waiting_) return;
      asio::post(executor, [ended = std::exchange(waiting_, nullptr)]() mutable { ended(false); });
    });
  };
  (void)co_await suspend<bool>(std::move(start));
}

}  // namespace parley::kinds
