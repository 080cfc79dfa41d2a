// The broker's mind: registry, directory, subscriptions, placement, parking, queues, deadlines, cancellation, dead
// letters, sessions. Pure: it opens nothing, logs nothing and reads no clock. A shell (broker/shell, LocalRuntime, the
// simulation) feeds it frames and time and carries away the frames that it wants sent.
// Rules: PROTOCOL.md. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/health.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/limits.hpp"

namespace parley::broker {

/// A connection as the shell knows it. Never leaves the process (a ROUTER routing id must not be on the wire).
using PeerHandle = std::uint32_t;

struct CoreConfig {
  /// Raised by one and made durable before the broker starts; the upper half of every activation epoch.
  std::uint32_t shard_epoch = 1;
  std::chrono::milliseconds heartbeat_interval{1000};
  /// Silence after which a session ends.
  std::chrono::milliseconds session_timeout{3000};
  /// True when every peer runs on this machine: a connection that is gone was closed by its peer then, not cut between
  /// the two, and nothing that it was given can still start there.
  bool is_gone_proof = true;
  /// True after a restart: hold messages for agent ids that are not re-announced yet.
  bool is_restart = false;
  std::chrono::milliseconds recovery_window{2400};
  /// Incarnations of the workers that were connected before the restart; recovery ends early when all are back.
  std::vector<std::uint64_t> expected_workers{};
  std::chrono::milliseconds max_deadline{3'600'000};
  /// A one-way message without a deadline waits at most this long for its delivery.
  std::chrono::milliseconds one_way_ttl{60'000};
  /// How long a type without a worker stays known (its messages are parked).
  std::chrono::milliseconds type_memory{600'000};
  std::uint32_t max_sessions = 10'000;
  std::uint32_t max_types = 10'000;
  std::uint32_t max_subscriptions = 1'000'000;
  std::uint32_t max_subscriptions_per_session = 200'000;
  /// Agent ids in the directory, those of lost workers that are not given away yet among them.
  std::uint32_t max_activations = 2'000'000;
  std::uint32_t max_inflight_per_session = 65'536;
  std::size_t max_session_queue_bytes = std::size_t{64} * 1024 * 1024;
  std::uint32_t max_parked_per_type = 10'000;
  std::size_t max_parked_bytes_per_type = std::size_t{64} * 1024 * 1024;
  std::uint32_t max_dead_letters = 10'000;
  std::size_t max_dead_letter_bytes = std::size_t{16} * 1024 * 1024;
  std::uint32_t max_trace_hops = 65'536;
  /// When workers count as degraded or unhealthy; its heartbeat is heartbeat_interval.
  HealthLimits health{};
  /// Agents and agent types that an earlier run left out of service.
  std::vector<wire::PsQuarantine> quarantines{};
  /// Incarnations of the workers that an earlier run was told to drain.
  std::vector<std::uint64_t> drains{};
};

/// What became of a frame that the core wanted sent.
enum class SendStatus : std::uint8_t {
  sent,  ///< queued by the transport
  full,  ///< not now: the core keeps it and offers it again at the next flush
  gone,  ///< the connection is dead: the core ends its session
};

/// Carries frames to peers. Implemented by shells.
class FrameSink {
 public:
  FrameSink() = default;
  FrameSink(const FrameSink&) = delete;
  FrameSink& operator=(const FrameSink&) = delete;
  virtual ~FrameSink() = default;
  /// May take the buffer, when the answer is `sent`; leaves it alone otherwise.
  virtual SendStatus send(PeerHandle peer, ByteBuffer& frame) = 0;
};

/// Lifecycle facts for the shell's log and metrics, drained after each batch. Bounded: the core merges what an
/// outsider can trigger at will into counters instead.
struct CoreEvent {
  enum class Type : std::uint8_t {
    session_opened,
    session_closed,
    sessions_full,  ///< the first HELLO that was refused for their number since there was room
    type_registered,
    type_parked,
    recovery_ended,
    roster_changed,  ///< the set of worker incarnations changed: the shell persists roster()
    health_changed,
    quarantined,  ///< and
    released,     ///< the shell persists quarantines()
    evicted,
    draining,     ///< a worker, on somebody's order, and
    drain_ended,  ///< with its process: the shell persists drains()
  };
  Type type;
  std::string name;    ///< of the peer, the agent type or the agent id
  std::string reason;  ///< for session_closed, sessions_full and from health_changed on
};

class Core {
 public:
  /// `random` gives session tokens and must outlive the core.
  Core(CoreConfig config, Random& random, TimePoint now, WallTime wall_now);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  /// One frame from a peer. Whatever its bytes are, the core answers or counts it; it never throws.
  void on_frame(PeerHandle peer, Bytes frame, TimePoint now);
  /// The transport knows that this connection is gone.
  void on_peer_gone(PeerHandle peer, TimePoint now);
  /// Runs what is due: deadlines, silent sessions, the end of recovery. `wall_now` stamps dead letters and traces.
  void on_tick(TimePoint now, WallTime wall_now);
  /// When on_tick should run next, at the latest.
  [[nodiscard]] TimePoint next_wakeup() const;
  /// Offers every frame that may go out now (queue and credit allow) to `sink`, one bundle per destination first.
  void flush(FrameSink& sink, TimePoint now);

  /// Tells every peer DRAIN and refuses new requests with `shutting_down`; sessions end by GOODBYE or timeout.
  void begin_shutdown(TimePoint now);
  /// True when nothing is in flight any more.
  [[nodiscard]] bool is_idle() const;

  /// Events since the last call.
  [[nodiscard]] std::vector<CoreEvent> take_events();
  /// Incarnations of the workers that have a session, for CoreConfig::expected_workers of the next run.
  [[nodiscard]] std::vector<std::uint64_t> roster() const;

  /// What is out of service, for CoreConfig::quarantines of the next run.
  [[nodiscard]] std::vector<wire::PsQuarantine> quarantines() const;

  /// Incarnations of the workers that were told to drain, for CoreConfig::drains of the next run.
  [[nodiscard]] std::vector<std::uint64_t> drains() const;

  /// Counters and gauges by their METRICS.md names.
  [[nodiscard]] std::vector<wire::NamedNumber> numbers() const;
  /// The same, and those with labels (by agent type, health state, outcome): for the metrics page.
  [[nodiscard]] std::vector<wire::NamedNumber> labelled_numbers() const;
  [[nodiscard]] wire::PsReport ps(TimePoint now) const;
  /// Walks everything and names what contradicts something else; empty when the books balance. For tests.
  [[nodiscard]] std::vector<std::string> broken_invariants() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::broker
