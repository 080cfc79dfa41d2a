// A run inside an agent's turn: ends when the turn's message is cancelled or its deadline passes. Loop thread only.
#pragma once

#include <memory>

#include "agents/sandbox/sandbox.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::sandbox {

/// sandbox.run(); killed at once when the caller cancels, and the result is then `cancelled`. The code's time is cut to
/// what `deadline` leaves, so that its output still reaches the caller. The sandbox and the context must outlive it.
[[nodiscard]] Task<Result<RunResult>> run_in_turn(Sandbox& sandbox, RunRequest request,
                                                  std::shared_ptr<WorkFolder> folder, Context& context,
                                                  std::optional<TimePoint> deadline);

}  // namespace parley::sandbox
