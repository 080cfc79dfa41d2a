// The log of a process: one line per event on standard error, `event=worker_lost worker=… idle_ms=…`, or the same
// fields as one JSON object a line. Programs set it up once at start; everybody else logs through spdlog's default
// logger. log_text() and log_fields_as_json() are pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::monitoring {

struct LogOptions {
  std::string level = "info";   ///< error, warn, info, debug or off
  std::string format = "text";  ///< text or json
};

/// Fails with `bad_configuration` for another level or format. Main thread, before other threads log.
Result<> set_up_log(const LogOptions& options);

/// A value for a log line that may hold anything: in quotes, with quotes, backslashes and control bytes escaped, so
/// that nobody outside can forge a line or a field.
[[nodiscard]] std::string log_text(std::string_view value);

/// `event=a b="c d" n=3` as `"event":"a","b":"c d","n":3`: numbers without quotes stay numbers. Text that is not a
/// field becomes `"message":"…"`.
[[nodiscard]] std::string log_fields_as_json(std::string_view line);

}  // namespace parley::monitoring
