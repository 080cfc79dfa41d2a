// The runtime that hosts agents. Two of them behave alike (tests/conformance runs against both): LocalRuntime, in one
// process without a network, and WorkerRuntime, on the bus. An agent cannot tell which one it is on.
// Everything here is called on the loop thread, the one that runs the given io_context.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libmsg/runtime/agent.hpp"
#include "libmsg/runtime/interceptor.hpp"
#include "libmsg/runtime/messenger.hpp"
#include "libmsg/runtime/span.hpp"
#include "libmsg/runtime/turn_record.hpp"
#include "libmsg/wire/vitals.hpp"

namespace parley {

struct TypeOptions {
  std::vector<std::string> capabilities;
  std::uint32_t capacity = 1;
  /// Lets a call chain that comes back (A → B → A) run inside the waiting turn instead of failing with `deadlock`.
  bool is_reentrant = false;
  /// Payload types that do not wait for the turn under way but run beside it: orders about what an activation does just
  /// now. Their handlers must be short, and see the agent in the middle of the other turn.
  std::vector<std::string> interleaved;
  /// Messages that may wait for one activation; one more is answered with `overloaded`.
  std::uint32_t max_mailbox = 1024;
  /// An activation without messages for this long is put away (its state is kept by the runtime). Zero: never.
  std::chrono::milliseconds idle_timeout{15 * 60 * 1000};
  /// A handler that shows no sign of progress for this long is taken for hung, and its worker for unhealthy (a part, a
  /// call begun or answered, a token of a model are progress; waiting for an answer counts for the one who owes it).
  std::chrono::milliseconds progress_timeout{5 * 60 * 1000};
};

/// What one runtime keeps at most; beyond it the least recently used makes room.
struct HostLimits {
  /// Live activations. Idle ones above it are put away, those used longest ago first; busy ones may exceed it.
  std::size_t max_activations = 100'000;
  /// States of activations that were put away. A dropped one is gone: such an agent starts anew.
  std::size_t max_saved_states = 100'000;
  std::size_t max_saved_bytes = std::size_t{256} * 1024 * 1024;
};

/// What one runtime has thrown away since its start, because nobody waited for it or it made no sense.
struct HostDrops {
  std::uint64_t stale_replies = 0;  ///< outcomes of turns whose session had ended
  std::uint64_t late_answers = 0;   ///< answers to calls that had ended (cancelled, timed out)
  std::uint64_t malformed = 0;      ///< frames or envelopes that did not parse
  std::uint64_t lost_waiting = 0;   ///< messages in mailboxes that ended with their session
  std::uint64_t publishes = 0;      ///< by an interceptor
};

/// What one runtime keeps now.
struct HostStats {
  HostLimits limits;
  std::uint64_t activations = 0;
  std::uint64_t surplus_passivations = 0;  ///< put away because there were too many, since the start
  std::uint64_t saved_states = 0;
  std::uint64_t saved_bytes = 0;     ///< of those, ids included
  std::uint64_t dropped_states = 0;  ///< since the start
  HostDrops drops{};
};

struct TopicFilter {
  std::string type;
  bool is_prefix = false;
  /// Reads `orders.created` (exact) or `orders.*` (prefix `orders.`; `*` alone matches all). Fails with `invalid`.
  static Result<TopicFilter> parse(std::string_view text);
};

/// Names a subscription within one runtime.
using SubscriptionHandle = std::uint64_t;

/// What the runtime counts about each agent type it hosts; the metrics page of a worker reads it.
struct TypeStats {
  std::uint64_t requests = 0;                     ///< handled messages that wanted a reply
  std::uint64_t one_way = 0;                      ///< handled sends and events
  std::map<std::string, std::uint64_t> outcomes;  ///< `ok` or the error code's name
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t waiting = 0;  ///< in mailboxes
  Duration oldest_waiting{};  ///< since the oldest of them arrived
};

/// Called after each turn with its type, outcome (`ok` or a code's name) and time from arrival to end; feeds
/// histograms.
using TurnObserver = std::function<void(std::string_view agent_type, std::string_view outcome, Duration latency)>;

/// The edge between outside code and the agents: a Messenger without an identity.
class Client : public Messenger {};

class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  virtual ~Runtime() = default;

  /// Connects and starts handling. Agent types may be registered before or after. Completes when the broker has granted
  /// the session, or fails with `unreachable` after `timeout` (and goes on trying in the background).
  virtual Task<Result<>> start(std::chrono::milliseconds timeout = std::chrono::seconds(10)) = 0;
  /// Takes no new work, lets running turns end until `grace` has passed, cancels the rest with `shutting_down`,
  /// deactivates, says GOODBYE. Idempotent.
  virtual Task<> stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) = 0;

  /// Hosts an agent type. Fails with `invalid` for a bad or already registered name.
  virtual Task<Result<>> register_type(std::string type, AgentFactory factory, TypeOptions options = {}) = 0;
  /// Hosts one ready instance. Several instances of one type may be registered; messages to other keys of that type
  /// fail with `undeliverable`. Fails with `invalid` when the id is taken or the type has a factory.
  virtual Task<Result<>> register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options = {}) = 0;
  /// Hosts a function for every key of `type` and subscribes it.
  virtual Task<Result<>> register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics = {},
                                          TypeOptions options = {}) = 0;
  /// Stops hosting a type: its activations end when they have handled what was on its way to them.
  virtual Task<Result<>> unregister_type(std::string type) = 0;

  virtual Task<Result<SubscriptionHandle>> subscribe(TopicFilter topics, std::string agent_type) = 0;
  /// After it completes no further event of this subscription enters a mailbox; those that wait there are still
  /// handled. Fails with `invalid` for an unknown handle.
  virtual Task<Result<>> unsubscribe(SubscriptionHandle handle) = 0;

  virtual void add_interceptor(std::shared_ptr<Interceptor> interceptor) = 0;
  virtual void set_turn_observer(TurnObserver observer) = 0;
  /// Records turns and calls from now on; a null sink ends it.
  virtual void set_span_sink(std::shared_ptr<SpanSink> sink) = 0;
  [[nodiscard]] virtual Client& client() = 0;

  /// State of every activation that has some, live or put away, by agent id.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> save_state() = 0;
  /// Gives state to the activations of known types when they are next activated; fails with `invalid` for an id whose
  /// type is not registered here, and then loads nothing.
  virtual Result<> load_state(const std::map<std::string, std::string>& states) = 0;

  /// Reads the broker's state (see wire::Query); the payload is the matching report body.
  virtual Task<Result<Payload>> query(wire::Query query) = 0;
  /// Changes what the broker does with agents and workers (see wire::Operate).
  virtual Task<Result<wire::OperateReport>> operate(wire::Operate order) = 0;

  [[nodiscard]] virtual std::map<std::string, TypeStats> stats() const = 0;
  [[nodiscard]] virtual HostStats host_stats() const = 0;
  /// True while there is a session with the broker.
  [[nodiscard]] virtual bool is_connected() const = 0;

  /// Tokens and money that an agent type of this runtime has spent, for `parley ps`; unknown types are ignored.
  virtual void report_spend(std::string_view agent_type, const Spend& spend) = 0;
  /// What this process tells about itself with its heartbeats, as of now. Any thread.
  [[nodiscard]] virtual wire::WorkerVitals vitals() const = 0;
};

}  // namespace parley
