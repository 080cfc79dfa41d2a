// What both agents (through Context) and outside code (through Client) can do: request, stream, send, publish.
// Loop thread only. Every call ends: in a reply, or in an error of the catalogue at its deadline at the latest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/runtime/message.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley {

/// Where a direct message goes: an agent id, or the least loaded agent type that offers a capability.
class Target {
 public:
  Target(const AgentId& id) : text_(id.str()) {}  // NOLINT(google-explicit-constructor): an id is a target
  /// Reads `type`, `type/key`, `@capability` or `@capability/key`. Fails with `invalid`.
  static Result<Target> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  explicit Target(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct CallOptions {
  /// Time until `timeout`. Inside a handler a request is cut to what is left of the handled request's own deadline. For
  /// send and publish: until when the handler must have started; later the message becomes a dead letter.
  std::chrono::milliseconds timeout{30'000};
  /// Extra attributes (see wire::attribute). `traceparent`, `conversation` and the call chain of the handled message
  /// are passed on by themselves.
  Attributes attributes;
  /// Every hop records itself (`parley trace`). Inside a handler a traced message makes its calls traced, too.
  bool is_traced = false;
};

/// A request whose reply arrives in pieces. Dropping it before the end cancels the request.
class ReplyStream {
 public:
  class Source;
  explicit ReplyStream(std::unique_ptr<Source> source);
  ReplyStream(ReplyStream&&) noexcept;
  ReplyStream& operator=(ReplyStream&&) noexcept;
  ~ReplyStream();

  /// The next part; nullopt when the final reply has arrived (see reply()). An error ends the stream.
  Task<Result<std::optional<Payload>>> next();
  /// The final reply; valid after next() gave nullopt.
  [[nodiscard]] const Payload& reply() const;

 private:
  std::unique_ptr<Source> source_;
};

class Messenger {
 public:
  Messenger() = default;
  Messenger(const Messenger&) = delete;
  Messenger& operator=(const Messenger&) = delete;
  virtual ~Messenger() = default;

  /// Sends a request and waits for its final reply; parts on the way are discarded.
  virtual Task<Result<Payload>> request(Target target, Payload message, CallOptions options = {}) = 0;
  /// Sends a request and hands out the parts as they arrive.
  virtual Task<Result<ReplyStream>> request_stream(Target target, Payload message, CallOptions options = {}) = 0;
  /// One-way. Completes when the broker has taken the message over; a delivery that fails later is a dead letter.
  virtual Task<Result<>> send(Target target, Payload message, CallOptions options = {}) = 0;
  /// Event to every subscribed agent type at key = the topic's source, once each. Completes with the number of
  /// recipients when the broker has taken it over. The agent that publishes does not get its own event.
  virtual Task<Result<std::uint32_t>> publish(Topic topic, Payload message, CallOptions options = {}) = 0;

  template <TypedMessage Reply, TypedMessage M>
  Task<Result<Reply>> request(Target target, const M& message, CallOptions options = {}) {
    return typed<Reply>(request(std::move(target), to_payload(message), std::move(options)));
  }
  template <TypedMessage M>
  Task<Result<>> send(Target target, const M& message, CallOptions options = {}) {
    return send(std::move(target), to_payload(message), std::move(options));
  }
  template <TypedMessage M>
  Task<Result<std::uint32_t>> publish(Topic topic, const M& message, CallOptions options = {}) {
    return publish(std::move(topic), to_payload(message), std::move(options));
  }

 private:
  template <TypedMessage Reply>
  static Task<Result<Reply>> typed(Task<Result<Payload>> request) {
    Result<Payload> reply = co_await std::move(request);
    if (!reply) co_return fail(std::move(reply).error());
    co_return from_payload<Reply>(*reply);
  }
};

}  // namespace parley
