// Runs a coroutine to its end from ordinary code: mains, tests, tools.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "libmsg/runtime/task.hpp"

namespace parley {

/// Runs `io` until `task` has ended and returns its result; rethrows what it throws. Other work of `io` goes on
/// meanwhile and is left where it is. Throws std::logic_error when the task waits for something that cannot come, as
/// nothing is left to run. Must not be called from within a handler of `io`.
template <class T>
T run_until(asio::io_context& io, Task<T> task) {
  std::exception_ptr failure;
  bool is_done = false;
  std::conditional_t<std::is_void_v<T>, std::optional<bool>, std::optional<T>> result;
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown) {
      failure = std::move(thrown);
      is_done = true;
    });
  } else {
    // Through a coroutine of its own: co_spawn() would want T to have a default.
    const auto keep = [](Task<T> inner, std::optional<T>& into) -> Task<> { into.emplace(co_await std::move(inner)); };
    asio::co_spawn(io, keep(std::move(task), result), [&](std::exception_ptr thrown) {
      failure = std::move(thrown);
      is_done = true;
    });
  }
  while (!is_done) {
    if (io.stopped()) io.restart();
    if (io.run_one() == 0 && !is_done) throw std::logic_error("run_until: the task waits and nothing is left to run");
  }
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace parley
