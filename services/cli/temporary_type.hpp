// The agent types that a command of `parley` hosts while it runs, so that answers and events find it. One that was
// killed leaves its type behind at the broker for a while, which is nothing that anybody misses. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/random.hpp"

namespace parley::cli {

enum class Temporary : std::uint8_t { bench, chat, events, subscriber };

/// `chat-0123456789ab`. The alert ParleyAgentAbsent knows these names, too.
[[nodiscard]] std::string temporary_type(Temporary purpose, Random& random);
[[nodiscard]] bool is_temporary_type(std::string_view name);

}  // namespace parley::cli
