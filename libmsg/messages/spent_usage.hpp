// What a turn that failed has cost all the same: details of its error (PROTOCOL.md §Errors), so that teams and agents
// that use others count it like what an answer has cost. Pure values; any thread.
#pragma once

#include "libmsg/core/error.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::messages {

/// Puts it into the error's details, in the place of what another agent has put there. Nothing spent: nothing is said.
void set_spent_usage(Error& error, const Usage& usage);

/// Tokens and money only; zero when the error does not say.
[[nodiscard]] Usage spent_usage(const Error& error);

}  // namespace parley::messages
