// One session's line to an agent: says something, gives the parts of the answer as they come and then the answer.
// Two ways: as a request, or one-way with the answers as events on the session's own topic, where a closure agent of
// this process listens (how a user proxy is meant to be used: the conversation survives a lost connection). Loop
// thread.
#pragma once

#include <asio/experimental/channel.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/cli/trace_context.hpp"

namespace parley::cli {

/// Agent type of the user proxy in the help desk, which `parley chat` talks to unless told otherwise.
inline constexpr std::string_view kUserProxyType = "user_proxy";

struct ChatLinkOptions {
  AgentId agent;
  /// Set: answers come as events of this topic type, at the agent's key. Unset: as replies.
  std::optional<std::string> reply_topic;
  std::chrono::milliseconds timeout{60'000};
};

/// Called for each piece of a streamed answer.
using OnPart = std::function<void(const messages::TextPart&)>;
/// Called for each event of a team, or of an assistant that uses tools.
using OnEvent = std::function<void(const messages::TeamEvent&)>;

class ChatLink {
 public:
  /// All must outlive the link.
  ChatLink(asio::io_context& io, Runtime& runtime, const Clock& clock, Random& random, ChatLinkOptions options);
  ChatLink(const ChatLink&) = delete;
  ChatLink& operator=(const ChatLink&) = delete;
  ~ChatLink();

  /// Without it events are left out. Not while say() is under way.
  void set_on_event(OnEvent on_event) { on_event_ = std::move(on_event); }
  /// Starts to listen; fails as Runtime::register_closure does.
  Task<Result<>> open();
  /// One turn of the conversation. One at a time. Ends in the answer, or an error at the timeout at the latest.
  Task<Result<messages::Answer>> say(std::string text, const OnPart& on_part, const std::optional<TraceContext>& trace);
  /// Stops listening.
  Task<> close();

 private:
  using Replies = asio::experimental::channel<void(std::error_code, Payload)>;

  void take_part(const Payload& payload, const OnPart& on_part) const;
  Task<Result<messages::Answer>> ask(Payload message, CallOptions call, const OnPart& on_part);
  Task<Result<messages::Answer>> send_and_listen(Payload message, CallOptions call, const OnPart& on_part);
  Task<Result<messages::Answer>> take_answer(const OnPart& on_part);

  asio::io_context& io_;
  Runtime& runtime_;
  const Clock& clock_;
  ChatLinkOptions options_;
  std::string listener_type_;
  std::shared_ptr<Replies> replies_;  ///< shared with the closure, which may be in a turn when the link goes
  OnEvent on_event_;
  bool is_listening_ = false;
};

}  // namespace parley::cli
