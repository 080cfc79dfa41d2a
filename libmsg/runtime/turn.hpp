// One message that an agent handles or will handle: what arrived, and the Context that its handler sees. Turns are
// pooled: the texts keep their memory from one message to the next. Internal to the runtime; loop thread only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/trace_context.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/span.hpp"

namespace parley {

class Turn final : public Context {
 public:
  explicit Turn(AgentHost& host) : host_(host) {}

  [[nodiscard]] const AgentId& self() const override { return activation->body.id; }
  [[nodiscard]] const AgentId& sender() const override { return sender_id; }
  [[nodiscard]] const std::optional<Topic>& topic() const override { return event_topic; }
  [[nodiscard]] bool is_request() const override { return kind == wire::Kind::request; }
  [[nodiscard]] const Attributes& attributes() const override { return all_attributes; }
  [[nodiscard]] std::string_view attribute(std::string_view name) const override;
  [[nodiscard]] std::string traceparent() const override {
    return trace.is_valid() ? trace.str() : Context::traceparent();
  }
  [[nodiscard]] std::optional<TimePoint> deadline() const override;
  [[nodiscard]] bool is_cancelled() const override { return cancelled || until <= host_.clock_.now(); }
  [[nodiscard]] TimePoint now() const override { return host_.clock_.now(); }

  using Context::part;
  Task<Result<>> part(Payload piece) override;
  Task<Result<>> sleep(std::chrono::milliseconds duration) override;
  void report_progress() override;
  void report_model_success() override;
  void report_model_failure() override;

  using Context::publish;
  using Context::request;
  using Context::send;
  Task<Result<Payload>> request(Target target, Payload content, CallOptions options) override {
    return host_.request(this, std::move(target), std::move(content), std::move(options));
  }
  Task<Result<ReplyStream>> request_stream(Target target, Payload content, CallOptions options) override {
    return host_.request_stream(this, std::move(target), std::move(content), std::move(options));
  }
  Task<Result<>> send(Target target, Payload content, CallOptions options) override {
    return host_.send(this, std::move(target), std::move(content), std::move(options));
  }
  Task<Result<std::uint32_t>> publish(Topic topic, Payload content, CallOptions options) override {
    return host_.publish(this, std::move(topic), std::move(content), std::move(options));
  }

  // What the host keeps with the turn.
  std::uint64_t serial = 0;  ///< tells this use of the pooled object from the next
  std::size_t connection = 0;
  SessionToken session;
  DeliveryId delivery;
  wire::Kind kind = wire::Kind::request;
  bool is_traced = false;
  bool is_listed = false;    ///< in AgentHost::deliveries_
  bool is_answered = false;  ///< the outcome went out ahead of the handler's end
  AgentHost::Activation* activation = nullptr;
  Payload message;
  AgentId sender_id;
  std::optional<Topic> event_topic;
  Attributes all_attributes;
  TimePoint arrived;
  TimePoint started;              ///< its handler
  TimePoint progressed;           ///< newest sign of progress
  bool has_model_failed = false;  ///< and was counted
  TraceContext trace;             ///< of its own span; not valid when nobody records spans
  std::unique_ptr<OpenSpan> span;
  TimePoint until{TimePoint::max()};
  std::optional<Error> cancelled;
  std::size_t position = 0;  ///< in AgentHost::running_turns_
  std::vector<AgentHost::CallKey> calls;
  /// Set while the turn's first resumption runs: where end_turn() says that it is over.
  bool* has_ended = nullptr;
  struct Sleep {
    std::uint64_t id;
    TimerId timer;
    Resume<Result<>> resume;
  };
  std::vector<Sleep> sleeps;

 private:
  void end_sleep(std::uint64_t id, Result<> outcome);
  AgentHost& host_;
};

}  // namespace parley
