// A model call inside an agent's turn: it ends when the turn's message is cancelled or its deadline passes, so that
// nobody pays for an answer that nobody waits for. Loop thread only.
#pragma once

#include "agents/llm/chat_model.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::llm {

/// model.complete() with the turn's deadline and, where the request names none, the turn's agent and conversation as
/// the caller; the transfer is aborted at once when the caller cancels, and the result is then `cancelled`. Pieces of
/// the answer, its end and a failure of the model are reported to the context, for the agent's health. What the sink
/// throws is thrown here. The model and the context must outlive the call.
[[nodiscard]] Task<std::expected<Completion, ModelError>> complete_in_turn(ChatModel& model, ChatRequest request,
                                                                           Context& context, ChunkSink on_chunk = {});

}  // namespace parley::llm
