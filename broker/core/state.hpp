// Everything the broker knows, as one value that its parts (Router, Lifecycle, Control, …) work on. Each member guards
// its own invariants; the parts keep them consistent with each other. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/core.hpp"
#include "broker/core/counters.hpp"
#include "broker/core/dead_letters.hpp"
#include "broker/core/deadline_wheel.hpp"
#include "broker/core/delivery_table.hpp"
#include "broker/core/directory.hpp"
#include "broker/core/quarantine.hpp"
#include "broker/core/registry.hpp"
#include "broker/core/session.hpp"
#include "broker/core/subscriptions.hpp"
#include "broker/core/trace_ring.hpp"

namespace parley::broker {

/// Comparing a misspelt name with every known one costs time, and an outsider can ask for it at will.
inline constexpr std::uint32_t kSuggestionsPerSweep = 16;

/// A frame for a connection without a session.
struct StrangerFrame {
  PeerHandle peer = 0;
  ByteBuffer frame;
};

/// How a session ends, which says whether its host may still start turns.
enum class Parting : std::uint8_t {
  lost,     ///< nobody knows: it may, until its lease ends
  dead,     ///< its end of the connection was closed, by the end of its process or after it had given up its lease
  goodbye,  ///< it said so itself
};

/// The activations of a lost session: nobody else gets them while their host may still trust its lease.
struct Fence {
  std::uint64_t incarnation = 0;
  TimePoint until;
  std::vector<std::pair<std::uint32_t, Epoch>> activations;  ///< directory slots; another epoch: gone meanwhile
};

/// A session that must end as soon as nothing works on it any more.
struct Doomed {
  std::uint32_t slot = kNil;
  SessionToken token;
  std::string reason;
  Parting parting = Parting::lost;
};

struct State {
  State(CoreConfig given_config, Random& given_random, TimePoint given_now, WallTime wall_now)
      : config(std::move(given_config)),
        random(given_random),
        started(given_now),
        now(given_now),
        wall_mark(wall_now),
        wall_mark_at(given_now),
        hash_seed(HashSeed::draw(given_random)),
        registry(hash_seed),
        directory(hash_seed),
        subscriptions(hash_seed),
        deliveries(static_cast<std::uint32_t>(given_random.next())),
        wheel(deliveries.slots(), given_now),
        dead_letters(config.max_dead_letters, config.max_dead_letter_bytes),
        traces(config.max_trace_hops),
        quarantines(config.quarantines, hash_seed),
        is_recovering(config.is_restart),
        recovery_ends(given_now + config.recovery_window) {
    for (const std::uint64_t incarnation : config.drains) drains.emplace(incarnation, given_now);
  }

  CoreConfig config;
  Random& random;
  TimePoint started;
  TimePoint now;
  WallTime wall_mark;  ///< wall clock at wall_mark_at
  TimePoint wall_mark_at;

  HashSeed hash_seed;
  BufferPool pool;
  Counters counters;
  Sessions sessions;
  Registry registry;
  Directory directory;
  Subscriptions subscriptions;
  std::vector<Fence> fences;
  ActivationList fenced;  ///< of all fences
  /// Activations (directory slots) that are being put away and for which messages were held meanwhile.
  std::set<std::uint32_t> holding;
  DeliveryTable deliveries;
  DeadlineWheel wheel;
  DeadLetters dead_letters;
  TraceRing traces;
  Quarantines quarantines;
  /// Processes that were told to drain, by incarnation, and when each last lost its session, or this run began.
  NumberMap<TimePoint> drains;

  bool is_shutting_down = false;
  bool is_recovering = false;
  TimePoint recovery_ends;
  /// Messages that wait for the end of recovery, in order.
  DeliveryList recovering;
  std::uint32_t epoch_counter = 0;
  std::uint32_t suggestions_left = kSuggestionsPerSweep;

  /// Sessions with something to send; a slot may be listed although its session is clean by now.
  std::vector<std::uint32_t> dirty;
  std::vector<Doomed> doomed;
  std::vector<StrangerFrame> strangers;
  std::vector<CoreEvent> events;
  /// Workers lost lately, oldest first.
  std::deque<wire::PsLoss> losses;

  [[nodiscard]] std::uint64_t wall_us() const {
    const auto wall = wall_mark.time_since_epoch() + (now - wall_mark_at);
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(wall).count());
  }
  [[nodiscard]] WallTime wall_now() const {
    return wall_mark + std::chrono::duration_cast<std::chrono::milliseconds>(now - wall_mark_at);
  }
  [[nodiscard]] Epoch next_epoch() { return Epoch((std::uint64_t{config.shard_epoch} << 32U) | ++epoch_counter); }

  /// Nobody new may be activated.
  [[nodiscard]] bool is_directory_full() const { return directory.size() >= config.max_activations; }

  /// What it means that the transport calls a connection gone. [P-ACT-8]
  [[nodiscard]] Parting parting_of_gone() const { return config.is_gone_proof ? Parting::dead : Parting::lost; }

  /// Notes a lifecycle fact. When nobody takes them, further ones are dropped: an outsider can make many.
  void note(CoreEvent::Type type, std::string name, std::string reason = {}) {
    constexpr std::size_t kMaxEvents = 4096;
    if (events.size() < kMaxEvents) events.push_back({type, std::move(name), std::move(reason)});
  }
};

}  // namespace parley::broker
