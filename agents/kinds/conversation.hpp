// Where one user's session stands: with nobody, or with one agent; and which conversation it is. Each conversation
// talks to agents under a key of its own, so that a new one starts without the history of the last. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"

namespace parley::kinds {

class Conversation {
 public:
  /// What a message of the user asks for.
  enum class Step : std::uint8_t {
    route,   ///< nobody is connected: ask the router who should be
    ask,     ///< goes to the connected agent
    finish,  ///< the end word: disconnect
    idle,    ///< the end word without a conversation
  };

  Conversation(std::string session, std::string end_word);

  /// Decides about a message; changes nothing. The end word counts alone, in any case, with space around it.
  [[nodiscard]] Step step_for(std::string_view text) const;

  /// The router chose an agent type.
  void connect(std::string agent_type) { agent_type_ = std::move(agent_type); }
  /// The chosen agent turned out not to exist: the next message is routed again, in the same conversation.
  void disconnect() { agent_type_.clear(); }
  /// The conversation is over; the next message starts a new one.
  void finish();

  [[nodiscard]] bool is_connected() const { return !agent_type_.empty(); }
  [[nodiscard]] const std::string& agent_type() const { return agent_type_; }
  /// Key of the agents of this conversation: the session's own for the first, `session~2` for the second, and so on.
  [[nodiscard]] std::string agent_key() const;

  /// Opaque text for load().
  [[nodiscard]] std::string save() const;
  /// Fails with `invalid` on a text that save() has not written.
  Result<> load(std::string_view state);

 private:
  std::string session_;
  std::string end_word_;
  std::string agent_type_;
  std::uint64_t number_ = 1;
};

}  // namespace parley::kinds
