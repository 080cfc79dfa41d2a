// An error → what a script reads of it. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "libmsg/core/error.hpp"

namespace parley::cli {

/// `{"code": …, "message": …, "retryable": …}`; of a ledger's refusal with `budget` (its `name`, `scope`, `subject`,
/// `per`, `limit_usd` and `spent_usd`, `limit_tokens` and `spent_tokens`, and `resets_at` in RFC 3339 or null), of
/// others with `details`, if there are any.
[[nodiscard]] nlohmann::json error_to_json(const Error& error);

}  // namespace parley::cli
