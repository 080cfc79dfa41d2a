// A thread for calls that block (SQLite), so that the loop does not. Jobs run one after the other, in order; those that
// wait are bounded. The object belongs to the loop thread; the thread ends with it, after the job in hand.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::tools {

/// True once nobody waits for the job any more; looked at by the job, on the thread.
using AbortFlag = std::atomic<bool>;

class JobThread {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  /// Results come back on the executor, whose loop must outlive the object.
  explicit JobThread(asio::any_io_executor loop) : loop_(std::move(loop)), thread_([this] { work(); }) {}
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;
  ~JobThread();

  /// Runs `job(abort)` on the thread and gives its result. Fails with `overloaded` when too many wait, with `cancelled`
  /// on Asio cancellation of the awaiting coroutine: the job is told, and its result forgotten. A job that throws fails
  /// with `handler_failed`. What the job refers to must stay alive until the object is gone.
  template <class T>
  [[nodiscard]] Task<Result<T>> run(std::function<Result<T>(const AbortFlag& abort)> job);

 private:
  template <class T>
  struct Shared {
    explicit Shared(const asio::any_io_executor& loop) : signal(loop, asio::steady_timer::time_point::max()) {}
    AbortFlag is_aborted{false};
    asio::steady_timer signal;  ///< loop thread only
    std::optional<Result<T>> result;
  };

  [[nodiscard]] bool push(std::function<void()> job);
  void work();

  asio::any_io_executor loop_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  ///< guarded by mutex_
  bool is_stopping_ = false;                ///< guarded by mutex_
  std::thread thread_;
};

template <class T>
Task<Result<T>> JobThread::run(std::function<Result<T>(const AbortFlag& abort)> job) {
  auto shared = std::make_shared<Shared<T>>(loop_);
  /// Also when the coroutine is destroyed.
  struct AbortAtEnd {
    std::shared_ptr<Shared<T>> job;
    ~AbortAtEnd() { job->is_aborted = true; }
  };
  const AbortAtEnd end{shared};
  // The guard keeps the loop running for the result that comes from outside of it.
  const bool is_taken = push([shared, job = std::move(job), guard = asio::make_work_guard(loop_)]() mutable {
    Result<T> result = fail(ErrorCode::cancelled, "nobody waits for it");
    try {
      if (!shared->is_aborted) result = job(shared->is_aborted);
    } catch (const std::exception& error) {
      result = fail(ErrorCode::handler_failed, error.what());
    }
    asio::post(guard.get_executor(), [shared, result = std::move(result)]() mutable {
      shared->result = std::move(result);
      shared->signal.cancel();
    });
  });
  if (!is_taken) co_return fail(ErrorCode::overloaded, "too many calls wait for this tool; try again");
  if (!shared->result) {
    asio::error_code error;
    co_await shared->signal.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none || !shared->result) {
    co_return fail(ErrorCode::cancelled, "the call was cancelled");
  }
  co_return std::move(*shared->result);
}

}  // namespace parley::tools
