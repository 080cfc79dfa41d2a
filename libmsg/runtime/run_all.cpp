#include "libmsg/runtime/run_all.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <variant>

namespace parley {

Task<> run_all(asio::any_io_executor executor, std::vector<Task<>> tasks) {
  std::list<asio::cancellation_signal> signals;
  asio::experimental::channel<void(std::error_code, std::monostate)> ended(executor, tasks.size());
  std::exception_ptr first;
  for (Task<>& task : tasks) {
    asio::cancellation_signal& signal = signals.emplace_back();
    asio::co_spawn(executor, std::move(task),
                   asio::bind_cancellation_slot(signal.slot(), [&ended, &first](std::exception_ptr thrown) {
                     if (thrown && !first) first = thrown;
                     (void)ended.try_send(std::error_code{}, std::monostate{});
                   }));
  }

  // The tasks borrow from the caller's frame, so a cancelled caller may not leave before they have ended.
  co_await asio::this_coro::throw_if_cancelled(false);
  bool is_cancelled = false;
  for (std::size_t left = tasks.size(); left > 0;) {
    std::error_code failure;
    co_await ended.async_receive(asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) {
      --left;
      continue;
    }
    is_cancelled = true;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
  }
  co_await asio::this_coro::throw_if_cancelled(true);
  if (first) std::rethrow_exception(first);
  if (is_cancelled) throw std::system_error(asio::error::operation_aborted);
}

}  // namespace parley
