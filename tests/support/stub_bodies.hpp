// What the stub model server says, in the words of each interface.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/stub_model_server.hpp"

namespace parley::test {

enum class StubDialect : std::uint8_t { openai, anthropic };

/// The answer that is not streamed.
[[nodiscard]] std::string whole_body(const StubReply& reply, StubDialect dialect);
/// The server-sent events of a streamed one, each to be sent by itself. The first holds no text.
[[nodiscard]] std::vector<std::string> stream_events(const StubReply& reply, StubDialect dialect);

}  // namespace parley::test
