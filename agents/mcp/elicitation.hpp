// What an MCP server wants to know of a person (`elicitation/create`): a yes, or values for a few simple fields. Each
// field is a question at the desk. Loop thread only.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "libmsg/core/error.hpp"
#include "libmsg/runtime/context.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::mcp {

/// `{"action": "accept", "content": {…}}`, `decline` or `cancel` (nobody answered). Fails with `cancelled` only.
[[nodiscard]] Task<Result<nlohmann::json>> elicit(const std::string& server, const nlohmann::json& params,
                                                  std::chrono::milliseconds timeout, Context& turn);

/// A person's text as the value of a field; nullopt when it is none. Pure.
[[nodiscard]] std::optional<nlohmann::json> field_value(const nlohmann::json& schema, const std::string& text);

}  // namespace parley::mcp
