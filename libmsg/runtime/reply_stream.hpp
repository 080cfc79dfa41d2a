// The receiving end of a streamed reply: parts that the consumer has not taken yet, and how it ended.
// Internal to the runtime; loop thread only. Shared by the request table and the ReplyStream of the consumer.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "libmsg/runtime/agent_host.hpp"

namespace parley {

class PartQueue {
 public:
  PartQueue(std::weak_ptr<AgentHost> host) : host_(std::move(host)) {}  // NOLINT(google-explicit-constructor)
  PartQueue(const PartQueue&) = delete;
  PartQueue& operator=(const PartQueue&) = delete;
  ~PartQueue() = default;

  void set_key(AgentHost::CallKey key) { key_ = key; }
  /// False when the consumer is too far behind; the caller then ends the call with `overloaded`.
  [[nodiscard]] bool push(Payload part);
  void finish(Result<Payload> outcome);
  Task<Result<std::optional<Payload>>> next();
  /// Ends the call when it still runs: nobody consumes any more.
  void abandon();
  /// Destroys the coroutine that waits in next().
  void forget_consumer() { waiting_ = nullptr; }
  [[nodiscard]] const Payload& reply() const { return reply_; }

 private:
  using Step = Result<std::optional<Payload>>;
  [[nodiscard]] std::optional<Step> take_step();

  std::weak_ptr<AgentHost> host_;  ///< weak: a stream may outlive its runtime
  AgentHost::CallKey key_;
  std::deque<Payload> parts_;
  std::size_t part_bytes_ = 0;
  std::optional<Result<Payload>> outcome_;
  Payload reply_;
  Resume<Step> waiting_;
};

class ReplyStream::Source {
 public:
  explicit Source(std::shared_ptr<PartQueue> parts) : queue(std::move(parts)) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() { queue->abandon(); }
  std::shared_ptr<PartQueue> queue;
};

}  // namespace parley
