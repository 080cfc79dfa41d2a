// The pieces of a conversation as JSON objects, one a line: what `parley run --json` and `parley chat --json` print.
// Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "libmsg/core/error.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::cli {

/// `{"event":"part", …}`: text as it comes, with who says it.
[[nodiscard]] nlohmann::json part_to_json(const messages::TextPart& part);
/// `{"event":"tool_call", …}`: what happens in a team or with a tool.
[[nodiscard]] nlohmann::json event_to_json(const messages::TeamEvent& event);
/// `{"event":"answer", …}`: the last of its kind.
[[nodiscard]] nlohmann::json answer_to_json(const messages::Answer& answer);
/// `{"event":"failed", …}`: the last when there is no answer.
[[nodiscard]] nlohmann::json failure_to_json(const Error& error);
[[nodiscard]] nlohmann::json usage_to_json(const messages::Usage& usage);

}  // namespace parley::cli
