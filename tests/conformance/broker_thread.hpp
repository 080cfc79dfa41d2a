// A real broker (core and ROUTER socket) on a thread of the test's process, at an ipc path of its own. Its own thread
// uses the socket and the core; the test's thread only starts and stops it.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "broker/core/core.hpp"
#include "broker/shell/router_socket.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/net/endpoint.hpp"
#include "tests/support/temporary_folder.hpp"

namespace parley::conformance {

class BrokerThread {
 public:
  BrokerThread() { start(); }
  BrokerThread(const BrokerThread&) = delete;
  BrokerThread& operator=(const BrokerThread&) = delete;
  ~BrokerThread() { stop(); }

  void start() {
    run_++;
    is_stopped_ = false;
    router_.emplace(context_);
    const auto bound = router_->bind(net::parse_endpoint(endpoint(), net::Reach::this_machine).value());
    if (!bound) throw std::runtime_error(bound.error().message);
    thread_ = std::thread([this] { serve(); });
  }
  void stop() {
    is_stopped_ = true;
    if (thread_.joinable()) thread_.join();
    router_.reset();
  }

  [[nodiscard]] std::string endpoint() const { return "ipc://" + (directory_ / "broker.sock").string(); }

 private:
  void serve() {
    SystemClock clock;
    SystemRandom random;
    broker::CoreConfig config;
    config.shard_epoch = run_;
    config.heartbeat_interval = std::chrono::milliseconds(500);
    config.session_timeout = std::chrono::milliseconds(5000);
    broker::Core core(config, random, clock.now(), clock.wall_now());
    while (!is_stopped_) {
      std::array<zmq::pollitem_t, 1> items{router_->poll_item()};
      zmq::poll(items, std::chrono::milliseconds(5));
      while (auto message = router_->receive()) core.on_frame(message->peer, message->bytes(), clock.now());
      core.on_tick(clock.now(), clock.wall_now());
      core.flush(*router_, clock.now());
      (void)core.take_events();
    }
  }

  test::TemporaryFolder directory_;
  zmq::context_t context_;
  std::optional<broker::RouterSocket> router_;
  std::uint32_t run_ = 0;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

}  // namespace parley::conformance
