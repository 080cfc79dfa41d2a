// Several coroutines at once, none of which outlives the caller. Loop thread.
#pragma once

#include <asio/any_io_executor.hpp>
#include <vector>

#include "libmsg/runtime/task.hpp"

namespace parley {

/// Runs all tasks until every one has ended, then rethrows the first exception of any. Cancelling the caller cancels
/// them all, still waits for them, and then throws asio's operation_aborted.
Task<> run_all(asio::any_io_executor executor, std::vector<Task<>> tasks);

}  // namespace parley
