// What a model reads of a run, always in the same form. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "agents/sandbox/run_request.hpp"

namespace parley::sandbox {

/// `exit code 0`, or `exit code 1`, or `ended after 20 s: it used up its time (wall_time)`.
[[nodiscard]] std::string outcome_text(const RunResult& result);
/// The outcome, what was written, the files that were made. Valid UTF-8 whatever the code has written.
[[nodiscard]] std::string result_text(const RunResult& result);
/// With replacement characters for what is no UTF-8.
[[nodiscard]] std::string repaired_utf8(std::string_view text);

}  // namespace parley::sandbox
