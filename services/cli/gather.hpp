// Several coroutines at once, none of which outlives the caller. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <vector>

#include "libmsg/runtime/task.hpp"

namespace parley::cli {

/// Runs all tasks on `io` until every one has ended, then rethrows the first exception of any. Cancelling the caller
/// cancels them all, still waits for them, and then throws asio's operation_aborted.
Task<> run_all(asio::io_context& io, std::vector<Task<>> tasks);

}  // namespace parley::cli
