// Runs coroutines on a test's own loop, without a sleep: the loop turns until the result is there.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace parley::test {

/// Turns the loop until the condition holds. Throws when nothing is left to do before that.
template <class Condition>
void run_until(asio::io_context& io, Condition condition) {
  io.restart();
  while (!condition()) {
    if (io.run_one() == 0) throw std::logic_error("the loop has run out of work before the expected thing happened");
  }
}

/// Runs the task to its end and returns its result.
template <class T>
T run_task(asio::io_context& io, asio::awaitable<T> task) {
  std::optional<T> result;
  std::exception_ptr failure;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
    failure = std::move(error);
    result = std::move(value);
  });
  run_until(io, [&] { return result.has_value(); });
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace parley::test
