// The supervisor's line to the bus: it answers as `sys.supervisor/<node>`, publishes to `sys.events/<node>`, and looks
// at the broker's `ps` twice a second. A broker that is away is waited for. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/messages/supervisor.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "libmsg/wire/ps_report.hpp"

namespace parley::supervisor {

struct BusLinkOptions {
  std::string node;
  std::string broker;
  bool is_insecure_allowed = false;
};

/// What the bus brings. Called on the loop thread.
struct BusEvents {
  std::function<void(bool is_there)> on_broker;
  std::function<void(const wire::PsReport&)> on_ps;
  std::function<Result<messages::SupervisorReport>(const messages::SupervisorList&)> on_list;
  std::function<Result<messages::SupervisorDone>(const messages::SupervisorOrder&)> on_order;
};

/// By which `ps` knows the supervisor of a node.
[[nodiscard]] std::string supervisor_peer(const std::string& node);

class BusLink {
 public:
  static constexpr std::chrono::milliseconds kLookInterval{500};

  /// `io` and `clock` must outlive it. Fails with `bad_configuration` or `invalid` for a wrong endpoint or node name.
  static Result<std::unique_ptr<BusLink>> make(asio::io_context& io, const Clock& clock, BusLinkOptions options,
                                               BusEvents events);
  BusLink(const BusLink&) = delete;
  BusLink& operator=(const BusLink&) = delete;
  ~BusLink();

  /// Connects in the background and goes on for ever.
  void start();
  /// Says goodbye to the broker; `then` is called when that is done.
  void stop(std::function<void()> then);

  /// At once, or when the broker is back; of those that wait for it the oldest give way. The log has every event.
  void publish(messages::FleetEvent event);
  /// Tells the broker to hold back messages for an agent id, now or as soon as there is one.
  void quarantine(std::string agent, std::string reason);
  /// Agent ids that were quarantined by this supervisor and have not been released.
  [[nodiscard]] std::vector<std::string> quarantined_agents() const;

 private:
  class Front;
  struct Impl;
  explicit BusLink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::supervisor
