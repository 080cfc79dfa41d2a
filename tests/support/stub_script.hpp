// Lets the stub model server answer by the rules of an offline model, so that what is scripted offline can be played
// over HTTP as well, by either interface.
#pragma once

#include "agents/llm/offline_rules.hpp"
#include "tests/support/stub_model_server.hpp"

namespace parley::test {

/// The request as the model that a client meant would see it. What cannot be read is left out.
[[nodiscard]] llm::ChatRequest chat_request_of(const StubRequest& request);

[[nodiscard]] StubReply reply_by_rules(const llm::OfflineRules& rules, const StubRequest& request);

}  // namespace parley::test
