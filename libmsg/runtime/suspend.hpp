// Lets a coroutine wait for a callback: `Result<Payload> reply = co_await suspend<Result<Payload>>(start)`, where
// `start` receives the function that resumes the coroutine with its result. Internal to the runtime; loop thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <type_traits>
#include <utility>

#include "libmsg/runtime/task.hpp"

namespace parley {

/// Resumes the waiting coroutine at once, on the caller's stack. Destroying it uncalled destroys the coroutine.
template <class T>
using Resume = std::move_only_function<void(T)>;

/// `start(Resume<T>, asio::cancellation_slot)` runs when the task is awaited. It must not call the function before it
/// returns. The slot is connected when somebody may cancel the coroutine (asio's awaitable operators do).
template <class T, class Start>
Task<T> suspend(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [start = std::move(start)](auto handler) mutable {
        asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
        start(Resume<T>(std::move(handler)), slot);
      },
      asio::use_awaitable);
}

}  // namespace parley
