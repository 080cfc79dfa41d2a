// Waiting inside a model call. Loop thread only.
#pragma once

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::llm {

/// Fails with `cancelled` when Asio cancellation of the awaiting coroutine ends the wait early.
inline Task<Result<>> pause(Duration duration) {
  if (duration <= Duration::zero()) co_return Result<>{};
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  asio::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none)
    co_return fail(ErrorCode::cancelled, "the call was cancelled");
  co_return Result<>{};
}

}  // namespace parley::llm
