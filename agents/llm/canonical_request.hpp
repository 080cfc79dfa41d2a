// Requests and answers as JSON, for recordings and cache keys: the same request has the same text in every process.
// Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// Everything that an answer depends on; not the caller and not the deadline.
[[nodiscard]] nlohmann::json json_of(const ChatRequest& request);
/// A name of json_of(request), the same in every process. Not proof against somebody who wants two requests to have the
/// same one.
[[nodiscard]] std::string fingerprint_of(const nlohmann::json& request);

[[nodiscard]] nlohmann::json json_of(const Completion& completion);
[[nodiscard]] nlohmann::json json_of(const ModelError& failure);
/// Fail with `invalid` and say what is missing; members that nobody knows are ignored.
[[nodiscard]] Result<Completion> completion_of(const nlohmann::json& object);
[[nodiscard]] Result<ModelError> model_error_of(const nlohmann::json& object);

}  // namespace parley::llm
