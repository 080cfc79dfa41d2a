// How `parley` ends. Scripts rely on these numbers: they never change meaning. Pure; any thread.
#pragma once

#include "libmsg/core/error.hpp"

namespace parley::cli {

inline constexpr int kDone = 0;
/// The request failed; its code and message are on standard error.
inline constexpr int kFailed = 1;
/// Wrong flags or a wrong configuration.
inline constexpr int kBadUsage = 2;
/// No broker answered in time.
inline constexpr int kUnreachable = 3;
/// The broker is there, but the reply did not come in time.
inline constexpr int kTimeout = 4;
/// Ctrl-C.
inline constexpr int kInterrupted = 130;

/// Of a failure of this program: its flags, its files, its way to the broker.
[[nodiscard]] constexpr int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_configuration:
      return kBadUsage;
    case ErrorCode::unreachable:
      return kUnreachable;
    case ErrorCode::timeout:
      return kTimeout;
    default:
      return kFailed;
  }
}

/// Of a failure that a broker or an agent answered with. What an agent could not reach, or found wrong in its own
/// configuration, is neither our broker nor our usage: the request failed.
[[nodiscard]] constexpr int exit_code_of_answer(ErrorCode code) {
  return code == ErrorCode::timeout ? kTimeout : kFailed;
}

}  // namespace parley::cli
