#include "agents/sandbox/turn_run.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <utility>
#include <variant>

namespace parley::sandbox {
namespace {

using std::chrono::milliseconds;

/// For setting up, for taking the files back, and for the way of the answer.
constexpr milliseconds kMargin{1000};
constexpr milliseconds kShortest{100};
/// Each sleep shows that the handler lives.
constexpr milliseconds kSlice{20'000};

/// Completes when the turn's message is cancelled.
Task<Error> until_cancelled(Context& context) {
  for (;;) {
    Result<> slept = co_await context.sleep(kSlice);
    if (!slept) co_return std::move(slept).error();
  }
}

}  // namespace

Task<Result<RunResult>> run_in_turn(Sandbox& sandbox, RunRequest request, std::shared_ptr<WorkFolder> folder,
                                    Context& context, std::optional<TimePoint> deadline) {
  using asio::experimental::awaitable_operators::operator||;
  milliseconds time = request.wall_time.value_or(sandbox.options().limits.wall_time);
  for (const std::optional<TimePoint>& end : {deadline, context.deadline()}) {
    if (end) time = std::min(time, std::chrono::floor<milliseconds>(*end - context.now()) - kMargin);
  }
  request.wall_time = std::max(time, kShortest);
  std::variant<Result<RunResult>, Error> first =
      co_await (sandbox.run(std::move(request), std::move(folder)) || until_cancelled(context));
  if (auto* cancelled = std::get_if<Error>(&first)) co_return fail(std::move(*cancelled));
  co_return std::move(std::get<Result<RunResult>>(first));
}

}  // namespace parley::sandbox
