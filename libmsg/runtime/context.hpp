// What a handler knows about the message it handles, and its means to act. Lives as long as the handler's turn.
// Loop thread only.
#pragma once

#include <optional>

#include "libmsg/runtime/messenger.hpp"

namespace parley {

class Context : public Messenger {
 public:
  /// The agent that handles the message.
  [[nodiscard]] virtual const AgentId& self() const = 0;
  /// Who sent it; empty for a client outside any agent.
  [[nodiscard]] virtual const AgentId& sender() const = 0;
  /// The topic of an event; nullopt for a direct message.
  [[nodiscard]] virtual const std::optional<Topic>& topic() const = 0;
  /// True when the sender waits for a reply.
  [[nodiscard]] virtual bool is_request() const = 0;
  [[nodiscard]] virtual const Attributes& attributes() const = 0;
  /// The value of one attribute, or an empty text.
  [[nodiscard]] virtual std::string_view attribute(std::string_view name) const = 0;
  /// The W3C trace context that calls on behalf of this message belong under, also those that leave the bus (a model, a
  /// tool); empty when the message belongs to no trace.
  [[nodiscard]] virtual std::string traceparent() const { return std::string(attribute("traceparent")); }
  /// When the sender stops waiting; nullopt for a one-way message, which only has to start in time.
  [[nodiscard]] virtual std::optional<TimePoint> deadline() const = 0;
  /// True once the caller has cancelled or the deadline has passed; long handlers look at it. Calls that the handler
  /// awaits end with `cancelled` by themselves.
  [[nodiscard]] virtual bool is_cancelled() const = 0;

  /// The topic of this type in the agent's own session: its source is the agent's key. Fails with `invalid`.
  [[nodiscard]] Result<Topic> own_topic(std::string_view type) const { return Topic::make(type, self().key()); }

  using Messenger::publish;
  /// Publishes to own_topic(type), so that an event stays in the session in which it was caused.
  Task<Result<std::uint32_t>> publish(std::string_view topic_type, Payload message, CallOptions options = {}) {
    return publish_own(own_topic(topic_type), std::move(message), std::move(options));
  }
  template <TypedMessage M>
  Task<Result<std::uint32_t>> publish(std::string_view topic_type, const M& message, CallOptions options = {}) {
    return publish_own(own_topic(topic_type), to_payload(message), std::move(options));
  }

  /// Streams one part of the reply. Fails with `invalid` when nobody waits for a reply, with `cancelled` when the
  /// caller went away.
  virtual Task<Result<>> part(Payload piece) = 0;
  template <TypedMessage M>
  Task<Result<>> part(const M& piece) {
    return part(to_payload(piece));
  }
  /// Waits; fails with `cancelled` when the message is cancelled meanwhile.
  virtual Task<Result<>> sleep(std::chrono::milliseconds duration) = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;

  // What the runtime cannot see by itself of a handler that works outside of it (a model call, a tool). Calls through
  // the context, parts and sleeps are seen.
  /// Something came of the work in hand: a handler that shows no progress for its type's progress_timeout is taken for
  /// hung. Cheap enough for every token of a model.
  virtual void report_progress() = 0;
  /// A model answered.
  virtual void report_model_success() = 0;
  /// A model failed: what the handler makes of it does not count as the agent's own failure.
  virtual void report_model_failure() = 0;

 private:
  Task<Result<std::uint32_t>> publish_own(Result<Topic> topic, Payload message, CallOptions options) {
    if (!topic) co_return fail(std::move(topic).error());
    co_return co_await publish(std::move(*topic), std::move(message), std::move(options));
  }
};

}  // namespace parley
