#include "services/cli/chat_link.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/fmt/fmt.h>

#include "agents/kinds/user_proxy.hpp"
#include "libmsg/core/duration.hpp"
#include "services/cli/temporary_type.hpp"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxWaitingReplies = 256;

/// nullopt when the payload is neither an answer nor plain text.
std::optional<messages::Answer> read_answer(const Payload& payload) {
  if (auto answer = from_payload<messages::Answer>(payload)) return std::move(*answer);
  if (auto text = from_payload<messages::Text>(payload)) return messages::Answer{text->text, text->from, false, {}};
  return std::nullopt;
}

}  // namespace

ChatLink::ChatLink(asio::io_context& io, Runtime& runtime, const Clock& clock, Random& random, ChatLinkOptions options)
    : io_(io),
      runtime_(runtime),
      clock_(clock),
      options_(std::move(options)),
      listener_type_(temporary_type(Temporary::chat, random)),
      replies_(std::make_shared<Replies>(io, kMaxWaitingReplies)) {}

ChatLink::~ChatLink() = default;

Task<Result<>> ChatLink::open() {
  if (!options_.reply_topic) co_return Result<>{};
  Closure listener = [replies = replies_, session = options_.agent.key()](const Payload& payload,
                                                                          Context& context) -> Task<Result<Payload>> {
    // The topic type may be shared with other sessions; only ours is of interest.
    if (context.topic() && context.topic()->source() == session) {
      Payload copy = payload;
      co_await replies->async_send(std::error_code{}, std::move(copy), asio::use_awaitable);
    }
    co_return Payload{};
  };
  std::vector<TopicFilter> topics{TopicFilter{*options_.reply_topic, false}};
  Result<> registered = co_await runtime_.register_closure(listener_type_, std::move(listener), std::move(topics));
  is_listening_ = registered.has_value();
  co_return registered;
}

Task<> ChatLink::close() {
  replies_->close();
  if (!std::exchange(is_listening_, false)) co_return;
  // The session ends next, and with it whatever this could not undo.
  (void)co_await runtime_.unregister_type(listener_type_);
}

Task<Result<messages::Answer>> ChatLink::say(std::string text, const OnPart& on_part,
                                             const std::optional<TraceContext>& trace) {
  Payload message = to_payload(messages::Text{std::move(text), {}});
  CallOptions call;
  call.timeout = options_.timeout;
  if (trace) set_traced(call, *trace);
  if (options_.reply_topic) co_return co_await send_and_listen(std::move(message), std::move(call), on_part);
  co_return co_await ask(std::move(message), std::move(call), on_part);
}

void ChatLink::take_part(const Payload& payload, const OnPart& on_part) const {
  if (const auto part = from_payload<messages::TextPart>(payload)) {
    on_part(*part);
  } else if (const auto event = from_payload<messages::TeamEvent>(payload); event && on_event_) {
    on_event_(*event);
  }
}

Task<Result<messages::Answer>> ChatLink::ask(Payload message, CallOptions call, const OnPart& on_part) {
  Target target(options_.agent);
  Result<ReplyStream> stream =
      co_await runtime_.client().request_stream(std::move(target), std::move(message), std::move(call));
  if (!stream) co_return fail(stream.error());
  for (;;) {
    Result<std::optional<Payload>> piece = co_await stream->next();
    if (!piece) co_return fail(piece.error());
    if (!*piece) break;
    take_part(**piece, on_part);
  }
  auto answer = read_answer(stream->reply());
  if (!answer)
    co_return fail(ErrorCode::invalid, fmt::format("'{}' answered with a '{}', which is no text", options_.agent.str(),
                                                   stream->reply().type));
  if (answer->from.empty()) answer->from = options_.agent.type();
  co_return std::move(*answer);
}

Task<Result<messages::Answer>> ChatLink::send_and_listen(Payload message, CallOptions call, const OnPart& on_part) {
  // Answers to a message that we no longer wait for.
  while (replies_->try_receive([](std::error_code, const Payload&) {})) {
  }
  call.attributes.emplace_back(kinds::kReplyTopicAttribute, *options_.reply_topic);
  const TimePoint deadline = clock_.now() + options_.timeout;
  Target target(options_.agent);
  const Result<> accepted = co_await runtime_.client().send(std::move(target), std::move(message), std::move(call));
  if (!accepted) co_return fail(accepted.error());

  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(io_, deadline);
  auto first = co_await (take_answer(on_part) || timer.async_wait(asio::use_awaitable));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return fail(ErrorCode::timeout,
                 fmt::format("'{}' did not answer within {} (a lost message is listed by 'parley dlq ls')",
                             options_.agent.str(), format_duration(options_.timeout)));
}

Task<Result<messages::Answer>> ChatLink::take_answer(const OnPart& on_part) {
  for (;;) {
    const Payload payload = co_await replies_->async_receive(asio::use_awaitable);
    if (auto answer = read_answer(payload)) co_return std::move(*answer);
    take_part(payload, on_part);
  }
}

}  // namespace parley::cli
