// Which message runs when: the activations of a worker, their mailboxes, one turn at a time per activation, re-entrance
// of call chains, bounded mailboxes, the lease, idle passivation, eviction. It runs nothing itself: it says what to
// run. Pure; one thread. The agent host runs coroutines for it, the simulation scripted handlers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/runtime/timer_queue.hpp"

namespace parley {

/// How the activations of one agent type are scheduled.
struct TurnRules {
  bool is_reentrant = false;
  /// Messages that may wait for one activation.
  std::uint32_t max_mailbox = 1024;
  /// Zero: never put away.
  Duration idle_timeout{};
  /// Whether take_surplus() may choose it.
  bool may_make_room = true;
};

/// By what right a message asks for its turn.
enum class Entry : std::uint8_t {
  ordinary,   ///< it waits for the turn under way
  own_chain,  ///< its call chain contains this activation, so the turn under way waits for it
  beside,     ///< its type runs beside the turn under way (TypeOptions::interleaved)
};

/// What becomes of a message that arrives.
enum class Admission : std::uint8_t {
  start,       ///< its turn starts now; the caller runs it and then calls finish()
  queued,      ///< it waits in the mailbox
  overloaded,  ///< the mailbox is full; the message stays with the caller
  deadlock,    ///< its call chain waits for this very activation; the message stays with the caller
};

/// `Message` is movable and owned by the mailbox while it waits; `Body` is what the owner keeps with each activation.
template <class Message, class Body>
class TurnScheduler {
 public:
  enum class Phase : std::uint8_t {
    live,
    passivating,  ///< idle: the broker was asked; messages still come and run
    leaving,      ///< the broker agreed: no message comes any more; gone once the mailbox is empty
    gone,         ///< evicted or removed while a turn ran; ends with that turn
  };

  struct Activation {
    std::string id;
    Epoch epoch;
    TurnRules rules;
    Phase phase = Phase::live;
    std::uint32_t running = 0;  ///< turns under way; more than one only by re-entrance or beside one another
    TimePoint last_used;
    std::list<Message> mailbox;
    TimerId idle_timer;
    bool is_ready = false;                          ///< listed in ready_
    typename std::list<Activation*>::iterator use;  ///< in uses_
    Body body;

    [[nodiscard]] bool is_idle() const { return running == 0 && mailbox.empty(); }
  };

  struct Next {
    Activation* activation;
    Message message;
  };

  /// The activation of an id; nullptr when it is not here.
  [[nodiscard]] Activation* find(std::string_view id) {
    const auto found = activations_.find(id);
    return found == activations_.end() ? nullptr : found->second.get();
  }

  /// The broker placed this id here. For an id that is here already the newer epoch holds.
  Activation& activate(std::string_view id, Epoch epoch, const TurnRules& rules, TimePoint now) {
    std::unique_ptr<Activation>& place = activations_.try_emplace(std::string(id)).first->second;
    if (!place) {
      place = std::make_unique<Activation>();
      place->id = id;
      place->rules = rules;
      place->last_used = now;
      place->use = uses_.insert(uses_.end(), place.get());
      arm(*place);
    } else if (epoch > place->epoch && place->phase != Phase::live) {
      set_phase(*place, Phase::live);
      arm(*place);
    }
    place->epoch = std::max(place->epoch, epoch);
    return *place;
  }

  /// On `start` and `queued` the message has been moved from; on `start` it is returned in `started`.
  Admission admit(Activation& activation, Message& message, Entry entry, TimePoint now,
                  std::optional<Message>& started) {
    const bool is_busy = activation.running > 0;
    if (is_busy && entry == Entry::own_chain && !activation.rules.is_reentrant) return Admission::deadlock;
    if (!is_held_ && (activation.is_idle() || (is_busy && entry != Entry::ordinary))) {
      activation.running++;
      running_++;
      activation.last_used = now;
      started.emplace(std::move(message));
      return Admission::start;
    }
    if (activation.mailbox.size() >= activation.rules.max_mailbox) return Admission::overloaded;
    activation.mailbox.push_back(std::move(message));
    waiting_++;
    if (activation.running == 0) list_ready(activation);
    return Admission::queued;
  }

  /// A turn of this activation ended. The activation's next message, whose turn starts now, or nullopt.
  /// An activation that is `gone` may be destroyed by this: do not touch it after nullopt.
  std::optional<Message> finish(Activation& activation, TimePoint now) {
    activation.running--;
    running_--;
    activation.last_used = now;
    uses_.splice(uses_.end(), uses_, activation.use);
    if (activation.phase == Phase::gone) {
      if (activation.running == 0) bury(activation);
      return std::nullopt;
    }
    if (activation.running > 0 || activation.mailbox.empty()) return std::nullopt;
    if (is_held_) {
      list_ready(activation);
      return std::nullopt;
    }
    return start_next(activation);
  }

  /// The lease ended (true) or holds again (false). While held no turn starts; messages wait in their mailboxes.
  void hold(bool is_held) { is_held_ = is_held; }
  [[nodiscard]] bool is_held() const { return is_held_; }

  /// The next turn that waited only for the lease; nullopt when there is none or the lease is out.
  std::optional<Next> take_ready() {
    while (!is_held_ && !ready_.empty()) {
      Activation* const activation = find(ready_.front());
      ready_.pop_front();
      if (activation == nullptr) continue;
      activation->is_ready = false;
      if (activation->running > 0 || activation->mailbox.empty()) continue;
      return Next{activation, start_next(*activation)};
    }
    return std::nullopt;
  }

  /// The next activation that has been idle for its type's time; it is `passivating` then. nullopt when there is none.
  Activation* take_idle(TimePoint now) {
    while (std::optional<Activation*> due = idle_.take_due(now)) {
      Activation& activation = **due;
      activation.idle_timer = {};
      if (activation.phase != Phase::live) continue;
      if (activation.is_idle() && activation.last_used + activation.rules.idle_timeout <= now) {
        set_phase(activation, Phase::passivating);
        return &activation;
      }
      arm(activation, activation.is_idle() ? activation.last_used : now);
    }
    return nullptr;
  }
  [[nodiscard]] TimePoint next_idle() const { return idle_.next(); }

  /// With more than `max` activations: the idle one that was used longest ago; it is `passivating` then. nullptr when
  /// there are few enough, counting those that are about to leave, or when nothing idle is found near the front.
  Activation* take_surplus(std::size_t max) {
    constexpr int kMaxLook = 64;
    for (int look = 0; look < kMaxLook && activations_.size() > max + going_; ++look) {
      Activation& oldest = *uses_.front();
      uses_.splice(uses_.end(), uses_, uses_.begin());
      if (oldest.phase != Phase::live || !oldest.is_idle() || !oldest.rules.may_make_room) continue;
      set_phase(oldest, Phase::passivating);
      disarm(oldest);
      return &oldest;
    }
    return nullptr;
  }

  /// The owner puts the activation away without waiting for its idle time. False when that is under way already.
  bool begin_passivation(Activation& activation) {
    if (activation.phase != Phase::live) return false;
    set_phase(activation, Phase::passivating);
    disarm(activation);
    return true;
  }

  /// The broker agrees to put it away, and no message for it comes any more. False for another epoch.
  bool grant_passivation(Activation& activation, Epoch epoch) {
    if (activation.epoch != epoch || activation.phase == Phase::gone) return false;
    set_phase(activation, Phase::leaving);
    disarm(activation);
    return true;
  }

  /// True when the owner may deactivate it now and then call remove().
  [[nodiscard]] static bool may_leave(const Activation& activation) {
    return activation.phase == Phase::leaving && activation.is_idle();
  }

  /// Blocks the activation while the owner deactivates it: like a turn, ended by remove() or finish().
  void occupy(Activation& activation) {
    activation.running++;
    running_++;
  }

  /// Takes the activation out. What waited for it is returned; a running turn may go on, and finish() then ends the
  /// activation. Do not touch it after this when no turn is running.
  std::list<Message> remove(Activation& activation) {
    std::list<Message> left = std::move(activation.mailbox);
    activation.mailbox.clear();
    waiting_ -= left.size();
    disarm(activation);
    set_phase(activation, Phase::gone);
    const auto found = activations_.find(activation.id);
    if (activation.running > 0) {
      leaving_turns_.push_back(std::move(found->second));
    } else {
      uses_.erase(activation.use);
    }
    activations_.erase(found);
    return left;
  }

  /// Takes every waiting message out for which `predicate(message)` holds.
  template <class Predicate>
  std::list<Message> drop_waiting(Predicate predicate) {
    std::list<Message> dropped;
    for (auto& [id, activation] : activations_) {
      for (auto message = activation->mailbox.begin(); message != activation->mailbox.end();) {
        const auto next = std::next(message);
        if (predicate(*message)) {
          dropped.splice(dropped.end(), activation->mailbox, message);
          waiting_--;
        }
        message = next;
      }
    }
    return dropped;
  }

  /// Takes one waiting message out, which gives its place to the next; the others keep their order. nullopt when
  /// `predicate(message)` holds for none of this activation.
  template <class Predicate>
  std::optional<Message> take_waiting(Activation& activation, Predicate predicate) {
    const auto found = std::ranges::find_if(activation.mailbox, predicate);
    if (found == activation.mailbox.end()) return std::nullopt;
    std::optional<Message> taken(std::move(*found));
    activation.mailbox.erase(found);
    waiting_--;
    return taken;
  }

  /// The session ended: passivations that the broker had not settled start over.
  void forget_handshakes() {
    for (auto& [id, activation] : activations_) {
      if (activation->phase != Phase::passivating && activation->phase != Phase::leaving) continue;
      set_phase(*activation, Phase::live);
      arm(*activation);
    }
  }

  /// Calls `visit(activation)` for each; `visit` must not add or remove any.
  template <class Visitor>
  void for_each(Visitor visit) {
    for (auto& [id, activation] : activations_) visit(*activation);
  }

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [id, activation] : activations_) visit(std::as_const(*activation));
  }

  /// Calls `visit(activation)` for each that has messages waiting and no turn under way: they wait for the lease.
  template <class Visitor>
  void for_each_ready(Visitor visit) const {
    for (const std::string& id : ready_) {
      const auto found = activations_.find(id);
      if (found != activations_.end() && !found->second->mailbox.empty()) visit(std::as_const(*found->second));
    }
  }

  [[nodiscard]] std::size_t activation_count() const { return activations_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t running() const { return running_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Message start_next(Activation& activation) {
    Message message = std::move(activation.mailbox.front());
    activation.mailbox.pop_front();
    waiting_--;
    activation.running++;
    running_++;
    return message;
  }

  void list_ready(Activation& activation) {
    if (activation.is_ready) return;
    activation.is_ready = true;
    ready_.push_back(activation.id);
  }

  void arm(Activation& activation) { arm(activation, activation.last_used); }
  void arm(Activation& activation, TimePoint from) {
    if (activation.rules.idle_timeout <= Duration::zero() || idle_.contains(activation.idle_timer)) return;
    activation.idle_timer = idle_.add(from + activation.rules.idle_timeout, &activation);
  }
  void disarm(Activation& activation) { idle_.cancel(activation.idle_timer); }

  void set_phase(Activation& activation, Phase phase) {
    const auto is_going = [](Phase which) { return which == Phase::passivating || which == Phase::leaving; };
    if (is_going(activation.phase)) going_--;
    if (is_going(phase)) going_++;
    activation.phase = phase;
  }

  void bury(Activation& activation) {
    uses_.erase(activation.use);
    std::erase_if(leaving_turns_, [&](const auto& owned) { return owned.get() == &activation; });
  }

  std::unordered_map<std::string, std::unique_ptr<Activation>, TextHash, std::equal_to<>> activations_;
  /// Removed while a turn was running.
  std::vector<std::unique_ptr<Activation>> leaving_turns_;
  std::deque<std::string> ready_;
  TimerQueue<Activation*> idle_;
  std::list<Activation*> uses_;  ///< of activations_ and leaving_turns_, the least recently used first
  std::size_t going_ = 0;        ///< activations that are passivating or leaving
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  bool is_held_ = false;
};

}  // namespace parley
