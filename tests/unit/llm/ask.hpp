// What the tests of several providers ask a model.
#pragma once

#include <string>
#include <utility>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

inline ChatRequest ask(std::string text) {
  ChatRequest request;
  request.messages = {{Role::user, std::move(text)}};
  return request;
}

}  // namespace parley::llm
