// A broker in the same thread: the peer's link and the broker's core hand each other their frames in memory. So
// routing, parking, dead letters, credit and errors of LocalRuntime are those of the bus. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/runtime/port.hpp"

namespace parley {

class LocalPort final : public Port {
 public:
  /// `clock` and `random` must outlive the port. `on_inbound` is called when something waits for take_inbound(), once
  /// until then.
  /// `on_exchange`: the broker may have to be ticked earlier than next_wakeup() said.
  /// `vitals`: the body of the process's heartbeats.
  LocalPort(std::string name, broker::CoreConfig config, Clock& clock, Random& random, std::function<void()> on_inbound,
            std::function<void()> on_exchange, std::function<ByteBuffer(TimePoint)> vitals);

  [[nodiscard]] std::size_t connection_count() const override { return 1; }
  void start() override;
  void stop(const std::string& reason) override;
  void add_type(std::size_t connection, wire::TypeRegistration type) override;
  void remove_type(std::size_t connection, std::string name) override;
  void add_subscription(std::size_t connection, wire::SubscriptionBody subscription) override;
  void remove_subscription(std::size_t connection, std::uint64_t id) override;
  void submit(std::size_t connection, ByteBuffer batch, SessionToken session) override;
  void consumed(std::size_t connection, const net::Frame& frame) override;
  bool take_inbound(std::vector<net::Inbound>& into) override;
  [[nodiscard]] TimePoint lease_until(std::size_t connection, SessionToken session) const override;

  /// Runs what is due in the link and in the broker.
  void tick();
  [[nodiscard]] TimePoint next_wakeup() const;
  /// True when the broker has nothing in flight and nothing waits for the host.
  [[nodiscard]] bool is_idle() const;

 private:
  class Sink;
  void exchange_frames();
  void take_events();
  void push(net::Inbound item);
  void refuse(Bytes batch, SessionToken session, const Error& why);

  Clock& clock_;
  link::PeerLink link_;
  broker::Core core_;
  broker::PeerHandle peer_ = 1;
  std::function<void()> on_inbound_;
  std::function<void()> on_exchange_;
  std::vector<net::Inbound> inbound_;
  std::deque<ByteBuffer> from_broker_;
  bool is_started_ = false;
  bool is_stopped_ = false;
};

}  // namespace parley
