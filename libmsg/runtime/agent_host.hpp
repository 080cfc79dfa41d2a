// The loop-thread half of both runtimes: hosts agents, runs their turns as coroutines, keeps the calls that agents and
// clients have under way, and speaks the worker's side of the protocol (PROTOCOL.md §Worker) to a Port.
// What decides is in pure parts: RequestTable (outcomes of calls), TurnScheduler (which message runs when), TimerQueue.
// Loop thread only. Coroutines that still wait keep the host alive, hence shared ownership.
#pragma once

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/port.hpp"
#include "libmsg/runtime/request_table.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "libmsg/runtime/saved_states.hpp"
#include "libmsg/runtime/span.hpp"
#include "libmsg/runtime/suspend.hpp"
#include "libmsg/runtime/turn_record.hpp"
#include "libmsg/runtime/turn_scheduler.hpp"
#include "libmsg/runtime/vitals_board.hpp"

namespace parley {

class Turn;
class PartQueue;

/// Behind HostStats.
struct HostCounters {
  HostDrops drops;
  std::uint64_t surplus_passivations = 0;  ///< put away because there were too many activations
  std::uint64_t dropped_states = 0;        ///< of activations that were put away: too many or too large
};

class AgentHost final : public std::enable_shared_from_this<AgentHost> {
 public:
  enum class Timing : std::uint8_t {
    real,     ///< an asio timer follows the clock
    stepped,  ///< the owner moves the clock and calls run_due()
  };

  /// `io`, `clock` and `random` must outlive the host (see keep_alive()).
  static std::shared_ptr<AgentHost> make(asio::io_context& io, Clock& clock, Random& random, Timing timing,
                                         const HostLimits& limits = {});
  AgentHost(asio::io_context& io, Clock& clock, Random& random, Timing timing, const HostLimits& limits);
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;
  ~AgentHost();

  /// Coroutines of agents may outlive the runtime that owns the clock: the host holds on to it for them.
  void keep_alive(std::shared_ptr<void> means) { means_ = std::move(means); }
  /// The owner gives the port once, before anything else. It calls wake() (any thread) when the port has inbound items.
  void attach(std::unique_ptr<Port> port);
  void wake();
  /// Ends everything without waiting: what is under way is destroyed. For the owner's destructor.
  void close();

  Task<Result<>> start(std::chrono::milliseconds timeout);
  Task<> stop(std::chrono::milliseconds grace);
  Task<Result<>> register_type(std::string type, AgentFactory factory, TypeOptions options);
  Task<Result<>> register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options);
  Task<Result<>> register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics,
                                  TypeOptions options);
  Task<Result<>> unregister_type(std::string name);
  Task<Result<SubscriptionHandle>> subscribe(TopicFilter topics, std::string agent_type);
  Task<Result<>> unsubscribe(SubscriptionHandle handle);
  void add_interceptor(std::shared_ptr<Interceptor> interceptor);
  void set_turn_observer(TurnObserver observer);
  void set_span_sink(std::shared_ptr<SpanSink> sink);
  [[nodiscard]] Client& client();
  [[nodiscard]] Result<std::map<std::string, std::string>> save_state();
  Result<> load_state(const std::map<std::string, std::string>& states);
  Task<Result<Payload>> query(wire::Query query);
  Task<Result<wire::OperateReport>> operate(wire::Operate order);
  [[nodiscard]] std::map<std::string, TypeStats> stats() const;
  [[nodiscard]] HostStats host_stats() const;
  [[nodiscard]] bool is_connected() const;
  void report_spend(std::string_view agent_type, const Spend& spend);
  /// What the I/O thread tells with its heartbeats; shared, since it may outlive the host by a moment.
  [[nodiscard]] const std::shared_ptr<VitalsBoard>& vitals_board() const { return vitals_; }
  /// Brings the board up to date, whether or not it is due.
  void post_vitals();
  [[nodiscard]] const HostCounters& counters() const { return counters_; }

  // Calls. `turn` is the turn that makes them; nullptr for the client.
  Task<Result<Payload>> request(Turn* turn, Target target, Payload message, CallOptions options);
  Task<Result<ReplyStream>> request_stream(Turn* turn, Target target, Payload message, CallOptions options);
  Task<Result<>> send(Turn* turn, Target target, Payload message, CallOptions options);
  Task<Result<std::uint32_t>> publish(Turn* turn, Topic topic, Payload message, CallOptions options);

  /// True when nothing is queued, running, under way or unsent.
  [[nodiscard]] bool is_idle() const;
  /// Completes when `condition` holds (true) or `until` has passed (false); checked after every batch of work.
  Task<bool> wait_for(std::function<bool()> condition, TimePoint until = TimePoint::max());

  /// Stepped time: when something falls due, and running what is due.
  [[nodiscard]] TimePoint next_wakeup() const;
  void run_due();
  /// Takes what the port has for the host, handles it and sends what came of it.
  void pump();

 private:
  friend class Turn;
  friend class PartQueue;

  /// How long a change of the registry may wait for the broker's word.
  static constexpr std::chrono::seconds kControlTimeout{30};
  /// How long a stop waits for handlers that it has cancelled.
  static constexpr std::chrono::milliseconds kCancelTime{500};
  /// What a batch's buffer starts with.
  static constexpr std::size_t kUsualBatchBytes = std::size_t{64} * 1024;

  class Batch;
  struct AgentType;
  /// What the host keeps with each activation.
  struct Hosted {
    AgentType* type = nullptr;
    AgentId id;
    std::shared_ptr<Agent> agent;  ///< empty until the first turn; shared with the application for ready instances
    bool is_activating = false;
    std::size_t connection = 0;  ///< whose broker placed it here
    ActivationRecord record;
  };
  using TurnPtr = std::unique_ptr<Turn>;
  using Scheduler = TurnScheduler<TurnPtr, Hosted>;
  using Activation = Scheduler::Activation;

  struct AgentType {
    std::string name;
    std::uint16_t index = 0;
    TypeOptions options;
    AgentFactory factory;  ///< empty for a type of ready instances
    std::map<std::string, std::shared_ptr<Agent>> instances;
    bool is_registered = true;
    std::array<std::uint64_t, 32> outcomes{};  ///< by code; 0 is `ok`
    std::uint64_t requests = 0;
    std::uint64_t one_way = 0;
    std::uint32_t waiting = 0;  ///< messages in mailboxes
    TypeRecord record;
  };

  using ReplyHandler = Resume<Result<Payload>>;
  using AcceptHandler = Resume<Result<std::uint32_t>>;
  struct Call {
    Call() = default;
    template <class Waiting>
    explicit Call(Waiting waiting) : waiter(std::move(waiting)) {}

    std::variant<std::monostate, ReplyHandler, AcceptHandler, std::shared_ptr<PartQueue>> waiter;
    Turn* turn = nullptr;  ///< whose cancellation ends the call
    /// A change of the registry: settled by HELLO when the session breaks before its answer.
    bool is_control = false;
    /// Names the target in messages for people.
    std::string target;
    std::unique_ptr<OpenSpan> span;  ///< empty when nobody records it
  };
  using Calls = RequestTable<Call>;

  struct Connection {
    Calls calls;
    ByteBuffer out;   ///< envelopes of this loop turn
    ByteBuffer done;  ///< delivery ids of handled one-way messages
    SessionToken session;
    /// Control requests up to here were settled by the HELLO that followed.
    MessageId last_sent_before;
    std::uint64_t max_payload_bytes = wire::kMaxPayloadBytes;
  };
  struct CallKey {
    std::size_t connection = 0;
    MessageId id;
    friend bool operator==(const CallKey&, const CallKey&) = default;
  };
  enum class State : std::uint8_t { fresh, running, stopping, stopped };

  // Inbound (host_inbound.cpp).
  void on_frame(std::size_t connection, Bytes frame);
  void on_link_event(std::size_t connection, const link::LinkEvent& event);
  void on_session_lost(std::size_t connection, const link::SessionLost& lost);
  void on_answer(std::size_t connection, const wire::EnvelopeView& envelope);
  void on_accepted(std::size_t connection, Bytes payload);
  void on_placement(std::size_t connection, const wire::EnvelopeView& envelope);
  void on_delivery(std::size_t connection, const wire::EnvelopeView& envelope);
  void on_cancel(std::size_t connection, DeliveryId delivery);
  void on_inspect(std::size_t connection, const wire::EnvelopeView& envelope);

  // Outbound and time (agent_host.cpp).
  void write_control(std::size_t connection, wire::Kind kind, std::string_view target, Epoch epoch);
  /// Data was written: half a bundle leaves at once, so that the next hop works while the turns here go on.
  void wrote(std::size_t connection);
  void request_flush();
  void submit(std::size_t connection);
  void flush();
  /// The time of this batch of work; read anew outside of one.
  TimePoint now();
  void refresh_lease();
  void arm_timer();
  void check_waiters();

  // Calls (host_calls.cpp).
  /// A message on its way out. On the heap, because the closure that waits to be awaited is moved several times.
  struct Outgoing {
    Turn* turn;
    wire::Kind kind;
    std::string target;
    std::size_t connection;
    Payload message;
    CallOptions options;
    std::string traceparent = {};  ///< in place of the caller's and the turn's; empty when nobody records spans
  };
  using OutgoingPtr = std::unique_ptr<Outgoing>;
  enum class Passage : std::uint8_t { pass, dropped };
  [[nodiscard]] OutgoingPtr make_outgoing(Turn* turn, wire::Kind kind, std::string target, Payload message,
                                          CallOptions options) const;
  Result<Passage> intercept(Outgoing& outgoing);
  Result<> check_may_call(const Outgoing& outgoing);
  Result<> encode_attributes(const Outgoing& outgoing, bool is_traced);
  Result<CallKey> begin_call(Outgoing& outgoing, Call& call);
  void begin_or_fail(OutgoingPtr outgoing, Call call, asio::cancellation_slot slot);
  static void detach_from_turn(const Call& call, CallKey key);
  static void end_call(Call call, Result<Payload> outcome);
  void fail_call(CallKey key, Call call, const Error& why);
  void cancel_call(CallKey key, const Error& why);
  void cancel_call_soon(CallKey key);
  void expire_calls();
  Task<Result<Payload>> ask_broker(std::size_t connection, wire::Kind kind, ByteBuffer body);
  Task<Result<>> control(std::size_t connection, wire::Kind kind, ByteBuffer body, std::string what);
  void write_control_request(std::size_t connection, wire::Kind kind, MessageId id, Bytes body);

  // Turns (host_turns.cpp).
  TurnPtr take_turn();
  void recycle(TurnPtr turn);
  Result<> fill_turn(Turn& turn, std::size_t connection, const wire::EnvelopeView& envelope, Activation& activation);
  void start_turn(TurnPtr turn);
  void start_delivered(TurnPtr turn);
  void list_delivery(Turn& turn);
  static Task<> run_turns(std::shared_ptr<AgentHost> self, TurnPtr turn);
  TurnPtr end_turn(TurnPtr turn, Result<Payload> outcome);
  void start_ready_turns();
  void cancel_turn(Turn& turn, const Error& why);
  [[nodiscard]] bool was_cut_by_deadline(const Turn& turn, const Result<Payload>& outcome) const;
  /// The turn's handler runs from here on.
  void begin_running(Turn& turn);
  static void leave_mailbox(const Turn& turn);

  // Answers (host_answers.cpp).
  void answer(Turn& turn, const Result<Payload>& outcome);
  void report_done(std::size_t connection, DeliveryId delivery);
  [[nodiscard]] wire::EnvelopeFields answer_fields(wire::Kind kind, const Turn& turn);
  void answer_error(const Turn& turn, const Error& error);
  void answer_error(std::size_t connection, DeliveryId delivery, const Error& error);
  void answer_error(std::size_t connection, wire::EnvelopeFields fields, const Error& error);
  void refuse(TurnPtr turn, const Error& error);
  void cut_short(Turn& turn, const Error& why);
  Result<> intercept_response(Turn& turn, Payload& reply);
  void count_outcome(Turn& turn, std::optional<ErrorCode> code);

  // Spans (host_spans.cpp).
  void begin_turn_span(Turn& turn);
  static void end_turn_span(Turn& turn, const Result<Payload>& outcome);
  void begin_call_span(Outgoing& outgoing, Call& call);
  static void end_call_span(Call& call, std::optional<Error> error);

  // Vitals (host_vitals.cpp).
  /// The turn's code has the loop, which is progress.
  void resume_turn(Turn& turn);
  void record_turn(Turn& turn, std::optional<ErrorCode> code);
  void record_model_call(Turn& turn, TurnFault fault);
  void forget_failing(const Activation& activation);
  [[nodiscard]] Duration without_progress(const Turn& turn, TimePoint now) const;
  [[nodiscard]] wire::WorkerVitals compose_vitals(TimePoint now);
  void add_types(wire::WorkerVitals& vitals, TimePoint now);
  void add_activations(wire::WorkerVitals& vitals, TimePoint now) const;
  [[nodiscard]] wire::ActivationVitals vitals_of(const Activation& activation, TimePoint now) const;
  [[nodiscard]] static Duration oldest_waiting(const Activation& activation, TimePoint now);
  [[nodiscard]] std::uint64_t wall_ms(std::optional<TimePoint> at, TimePoint now) const;

  // Activations (host_activations.cpp).
  Task<Result<>> activate(Turn& turn);
  void passivate_idle();
  void passivate_surplus();
  void keep_state(const std::string& id, std::string state);
  void ask_passivation(Activation& activation);
  void leave_if_possible(Activation& activation);
  void settle_idle(Activation& activation);
  void evict(Activation& activation);
  void evict_unregistered(std::size_t connection);
  static Task<> deactivate(std::shared_ptr<AgentHost> self, Activation* activation);

  // Registry (host_registry.cpp).
  AgentType* find_type(std::string_view name);
  /// Of this number in the registration, registered or not any more; nullptr when it has another name.
  AgentType* find_type(std::string_view name, std::uint16_t index);
  Result<AgentType*> add_type(std::string name, TypeOptions options);
  Task<Result<>> announce(AgentType& type);
  static TurnRules rules_of(const AgentType& type);
  [[nodiscard]] static bool is_interleaved(const Activation& activation, std::string_view payload_type);
  [[nodiscard]] Error shutting_down() const;

  // Start and stop (host_stop.cpp).
  Task<> drain(TimePoint until);
  /// No new activations; those that are idle are put away.
  void ask_drain(std::size_t connection);
  [[nodiscard]] bool has_no_calls() const;
  void cancel_rest();
  Task<> deactivate_rest();

  std::shared_ptr<void> means_;
  asio::io_context& io_;
  Clock& clock_;
  Random& random_;
  Timing timing_;
  HostLimits limits_;
  std::unique_ptr<Port> port_;
  std::vector<Connection> connections_;
  std::unique_ptr<Client> client_;
  State state_ = State::fresh;
  bool is_started_ = false;
  bool is_closed_ = false;

  std::vector<std::unique_ptr<AgentType>> types_;  ///< by index
  std::unordered_map<std::string, AgentType*> types_by_name_;
  std::map<SubscriptionHandle, wire::SubscriptionBody> subscriptions_;
  SubscriptionHandle last_subscription_ = 0;
  SavedStates saved_states_;
  std::vector<std::shared_ptr<Interceptor>> interceptors_;  ///< shared: the application keeps using them
  TurnObserver observer_;
  std::shared_ptr<SpanSink> span_sink_;  ///< shared with the spans under way

  Scheduler scheduler_;
  TimerQueue<std::move_only_function<void()>> timers_;
  /// Deliveries that wait or run, for CANCEL; one that ends within its first resumption is never listed.
  std::unordered_map<std::uint64_t, Turn*> deliveries_;
  std::vector<Turn*> running_turns_;
  /// Activations whose last turns failed.
  std::vector<Activation*> failing_;
  std::vector<TurnPtr> spare_turns_;
  std::vector<Resume<TurnPtr>> parked_runners_;
  std::uint64_t last_serial_ = 0;

  std::vector<net::Inbound> inbox_;
  ByteBuffer scratch_;
  std::string scratch_id_;
  TimePoint now_{};
  TimePoint lease_until_{TimePoint::max()};
  TimePoint lease_retry_{TimePoint::max()};
  bool is_pumping_ = false;
  bool is_flush_posted_ = false;
  asio::steady_timer timer_;
  TimePoint timer_at_{TimePoint::max()};

  struct Waiter {
    std::uint64_t id;
    std::function<bool()> condition;
    TimerId timer;
    Resume<bool> resume;
  };
  std::list<Waiter> waiters_;
  std::uint64_t last_waiter_ = 0;
  /// Keeps io_context::run() from returning between start and stop.
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  HostCounters counters_;
  std::shared_ptr<VitalsBoard> vitals_ = std::make_shared<VitalsBoard>();  ///< shared with the I/O thread
};

}  // namespace parley
