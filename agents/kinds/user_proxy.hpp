// kind: user_proxy. Stands between one user's session (agent key) and the agents: the first message goes to the router,
// the following ones straight to the agent that it chose, the end word disconnects, and then a new conversation may
// start. Failures are told to the user in words; the conversation goes on.
//
// Answers take the way that the message came: a request gets its parts (TextPart) and an Answer as reply; a one-way
// message or an event gets the same as events on `chat.replies/<session>`, where the user's closure agent listens. A
// sender may name another topic type in the attribute `reply-topic`.
//
// As a member of a conversation (TurnRequest) it speaks for a person instead: asks one at the question desk, or answers
// by itself, as HumanInput decides. Loop thread only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agents/kinds/conversation.hpp"
#include "agents/kinds/human_input.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

/// On a one-way message to a user proxy: the topic type of the replies.
inline constexpr std::string_view kReplyTopicAttribute = "reply-topic";

struct UserProxyOptions {
  /// Agent type of the router.
  std::string router = "router";
  std::string end_word = "END";
  std::string reply_topic = "chat.replies";
  /// How long an agent may take for its answer.
  std::chrono::milliseconds timeout{120'000};
  /// How long the router may take.
  std::chrono::milliseconds router_timeout{30'000};
  /// As a member of a conversation; its end word is the one above.
  HumanInputOptions human_input;
  /// How long a person may take.
  std::chrono::milliseconds input_timeout{std::chrono::minutes(10)};
  /// What the person is taken to have said when that is over. Unset: the turn fails with `timeout`.
  std::optional<std::string> default_answer;
};

/// What a user is told about a failure of `agent`.
[[nodiscard]] std::string explain(const Error& error, std::string_view agent, std::string_view end_word);

class UserProxy final : public TypedAgent<UserProxy, messages::Text, messages::TurnRequest> {
 public:
  UserProxy(UserProxyOptions options, std::string session);

  Task<Result<messages::Answer>> on(const messages::Text& message, Context& context);
  Task<Result<messages::Answer>> on(const messages::TurnRequest& turn, Context& context);

  [[nodiscard]] Result<std::string> save_state() const override;
  Result<> load_state(std::string_view state) override;

 private:
  /// Where parts and answers of one message go.
  struct Replies;

  Task<messages::Answer> answer(const messages::Text& message, Context& context, const Replies& replies);
  Task<messages::Answer> route(const messages::Text& message, Context& context, const Replies& replies);
  Task<messages::Answer> ask(const messages::Text& message, Context& context, const Replies& replies);
  Task<Result<messages::Answer>> forward(const messages::Text& message, Context& context, const Replies& replies);
  Task<Result<HumanInput::Decision>> ask_human(const messages::TurnRequest& turn, Context& context);
  messages::Answer failed(const Error& error, std::string_view agent, const Context& context);

  UserProxyOptions options_;
  Conversation conversation_;
  HumanInput human_input_;
};

}  // namespace parley::kinds
