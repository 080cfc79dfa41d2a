// One logger for a whole process, on standard error. Call sites write one structured line per event, as key=value pairs
// whose first key is `event`:
//
//     spdlog::warn("event=worker_lost worker={} idle_ms={}", quoted(name), idle.count());
//
// With the JSON format the pairs become the fields of one JSON object a line. Set up once in main(); logging itself is
// safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::config {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  std::string level = "info";  ///< `debug`, `info`, `warn`, `error`, `off`
  LogFormat format = LogFormat::text;
  /// Stands in every line.
  std::string process;
};

/// Makes spdlog's default logger write as told. Fails with `bad_configuration` for an unknown level.
Result<> set_up_logging(const LogOptions& options);

/// A value for a key=value line: as it is when it is one plain word, else in quotes with `"` and `\` escaped and control
/// characters replaced.
[[nodiscard]] std::string quoted(std::string_view value);

/// One line of the JSON format, without the newline. A message that is no list of pairs becomes the field `message`.
[[nodiscard]] std::string json_line(std::string_view time, std::string_view level, std::string_view process,
                                    std::string_view message);

}  // namespace parley::config
