// Anthropic's models by the native Messages API.
#pragma once

#include <memory>

#include "agents/http/curl_multi.hpp"
#include "agents/llm/anthropic_options.hpp"
#include "agents/llm/chat_model.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

/// See HttpModel::make(). `clock` and `random` must outlive the model.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> make_anthropic_model(AnthropicOptions options,
                                                                      std::shared_ptr<http::CurlMulti> multi,
                                                                      const Clock& clock, Random& random);

}  // namespace parley::llm
