// Any server that speaks OpenAI's chat completions API: OpenAI itself, vLLM, Ollama, llama.cpp, gateways.
#pragma once

#include <memory>

#include "agents/http/curl_multi.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/openai_options.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

/// See HttpModel::make(). `clock` and `random` must outlive the model.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> make_openai_model(OpenAiOptions options,
                                                                   std::shared_ptr<http::CurlMulti> multi,
                                                                   const Clock& clock, Random& random);

}  // namespace parley::llm
