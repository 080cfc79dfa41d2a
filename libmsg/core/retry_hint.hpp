// When another attempt makes sense, as a detail of an error: whoever refuses knows best how long. The broker's
// `overloaded` carries it, and a model provider's Retry-After that was not waited for. Pure; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley {

/// Its value is a whole number of milliseconds.
inline constexpr std::string_view kRetryAfterDetail = "retry_after_ms";

/// Adds the detail, unless the error has it.
inline void set_retry_after(Error& error, std::chrono::milliseconds wait) {
  if (error.detail(kRetryAfterDetail).empty())
    error.details.emplace_back(kRetryAfterDetail, std::to_string(wait.count()));
}

}  // namespace parley
