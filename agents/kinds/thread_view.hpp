// A conversation's thread as one participant's model sees it: what it said itself as the assistant, what others said as
// the user, with their names. Nothing is kept from one turn to the next: the manager owns the thread. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/conversation.hpp"

namespace parley::kinds {

/// Oldest first; the first and the last are never the assistant's. Empty messages are left out. Fails with `invalid`
/// when there is neither a message nor an instruction.
[[nodiscard]] Result<std::vector<llm::ChatMessage>> thread_view(const messages::TurnRequest& request);

/// The other members, one a line: `- critic: reviews poems`. `(nobody else)` when there is none.
[[nodiscard]] std::string members_text(const messages::TurnRequest& request);

}  // namespace parley::kinds
