// The broker as a process: a core, its connections, its crashes, pauses and restarts.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/wire/envelope.hpp"
#include "tests/sim/schedule.hpp"

namespace parley::sim {

class World;
using FrameBytes = std::vector<std::byte>;

/// One connection between a machine and the broker. Frames arrive in order in each direction; what is under way when it
/// breaks is lost.
struct Connection {
  broker::PeerHandle handle = 0;
  std::size_t machine = 0;
  std::uint64_t machine_life = 0;
  std::uint64_t broker_life = 0;
  bool is_cut = false;     ///< nothing arrives any more, in either direction
  bool is_closed = false;  ///< by the machine: what it had sent may still arrive
  bool is_gone = false;    ///< the broker's transport knows that the other side is gone
  bool is_slow = false;    ///< the machine does not read
  TimePoint last_to_broker;
  TimePoint last_to_machine;
};
using ConnectionPtr = std::shared_ptr<Connection>;  // shared by the machine, the broker and the frames under way

class BrokerProcess final : private broker::FrameSink {
 public:
  BrokerProcess(World& world, broker::CoreConfig config);

  void start();
  void crash();
  void pause(Duration lasting);
  void begin_shutdown();
  /// OPERATE, as an operator's peer would ask for it.
  void order(std::string what, std::string key);

  void connect(const ConnectionPtr& connection);
  void on_frame(const ConnectionPtr& connection, FrameBytes frame);
  void on_gone(const ConnectionPtr& connection);
  /// As on_gone(), and the shell hears of it by itself.
  void lose(const ConnectionPtr& connection);

  [[nodiscard]] bool is_up() const { return core_ != nullptr; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  /// Raised by one at each start; the shard epoch of WELCOME.
  [[nodiscard]] std::uint64_t run() const { return config_.shard_epoch; }
  /// Events accepted then are matched with their subscriptions again later.
  [[nodiscard]] bool may_be_recovering() const;
  [[nodiscard]] const broker::Core& core() const { return *core_; }
  /// True when the worker of this incarnation was told to drain, whatever has become of the broker since.
  [[nodiscard]] bool is_drained(std::uint64_t incarnation) const;
  [[nodiscard]] bool is_idle() const { return core_ && core_->is_idle(); }
  /// Every dead letter of this run, asked for as a peer would.
  [[nodiscard]] std::vector<wire::DeadLetterRow> dead_letters();

 private:
  broker::SendStatus send(broker::PeerHandle peer, ByteBuffer& buffer) override;
  void run_or_queue(Action action);
  void resume();
  void flush_soon();
  void flush();
  void wake();
  void after_work();
  void take_events();
  /// A session of somebody who looks in for a moment.
  struct Visit {
    std::vector<FrameBytes> frames;  ///< the answers to the last say()
    SessionToken token;
    std::uint64_t message_id = 0;
  };
  void begin(Visit& visit);
  void say(Visit& visit, wire::Kind kind, Bytes body);
  void end(Visit& visit);

  World& world_;
  broker::CoreConfig config_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<broker::Core> core_;
  std::uint64_t life_ = 0;
  TimePoint started_;
  std::vector<std::uint64_t> roster_;
  std::map<broker::PeerHandle, ConnectionPtr> connections_;
  bool is_paused_ = false;
  std::deque<Action> backlog_;
  bool is_flush_due_ = false;
  TimePoint wake_at_ = TimePoint::max();
  /// Where a visit catches the answers.
  std::vector<FrameBytes>* inspected_ = nullptr;
};

}  // namespace parley::sim
