#include "libmsg/runtime/agent_host.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "libmsg/runtime/reply_stream.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

/// The edge: a Messenger without an identity.
class HostClient final : public Client {
 public:
  explicit HostClient(AgentHost& host) : host_(host) {}
  using Client::publish;
  using Client::request;
  using Client::send;
  Task<Result<Payload>> request(Target target, Payload message, CallOptions options) override {
    return host_.request(nullptr, std::move(target), std::move(message), std::move(options));
  }
  Task<Result<ReplyStream>> request_stream(Target target, Payload message, CallOptions options) override {
    return host_.request_stream(nullptr, std::move(target), std::move(message), std::move(options));
  }
  Task<Result<>> send(Target target, Payload message, CallOptions options) override {
    return host_.send(nullptr, std::move(target), std::move(message), std::move(options));
  }
  Task<Result<std::uint32_t>> publish(Topic topic, Payload message, CallOptions options) override {
    return host_.publish(nullptr, std::move(topic), std::move(message), std::move(options));
  }

 private:
  AgentHost& host_;
};

/// How soon turns that wait for the lease look for it again.
constexpr Duration kLeaseRetry = std::chrono::milliseconds(50);

}  // namespace

std::shared_ptr<AgentHost> AgentHost::make(asio::io_context& io, Clock& clock, Random& random, Timing timing,
                                           const HostLimits& limits) {
  return std::make_shared<AgentHost>(io, clock, random, timing, limits);
}

AgentHost::AgentHost(asio::io_context& io, Clock& clock, Random& random, Timing timing, const HostLimits& limits)
    : io_(io),
      clock_(clock),
      random_(random),
      timing_(timing),
      limits_(limits),
      client_(std::make_unique<HostClient>(*this)),
      saved_states_(limits.max_saved_states, limits.max_saved_bytes),
      timer_(io) {}

AgentHost::~AgentHost() = default;

void AgentHost::attach(std::unique_ptr<Port> port) {
  port_ = std::move(port);
  connections_.resize(port_->connection_count());
}

void AgentHost::close() {
  if (is_closed_) return;
  is_closed_ = true;
  state_ = State::stopped;
  if (port_) port_->stop("closed");
  work_.reset();
  timer_.cancel();
  // Whatever waits is destroyed, not resumed; moved out first, since that destroys coroutines which look in here.
  const auto waiters = std::move(waiters_);
  const auto runners = std::move(parked_runners_);
  auto timers = std::exchange(timers_, {});
  for (Connection& connection : connections_) {
    for (auto& taken : connection.calls.take_if([](MessageId, const Call&) { return true; })) {
      // A consumer that waits owns the queue in which it waits.
      if (auto* stream = std::get_if<std::shared_ptr<PartQueue>>(&taken.call.waiter)) (*stream)->forget_consumer();
    }
  }
  for (Turn* turn : running_turns_) turn->sleeps.clear();
  scheduler_.drop_waiting([](const TurnPtr&) { return true; });
}

void AgentHost::wake() {
  asio::post(io_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

TimePoint AgentHost::now() {
  if (!is_pumping_) now_ = clock_.now();
  return now_;
}

/// Reads the clock once, and sends what came of the batch at its end, also when a coroutine's completion throws.
class AgentHost::Batch {
 public:
  explicit Batch(AgentHost& host) : host_(host) {
    host_.now_ = host_.clock_.now();
    host_.is_pumping_ = true;
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() {
    if (!host_.is_pumping_) return;
    host_.is_pumping_ = false;
    host_.request_flush();
  }
  /// The regular end: sends at once instead of with the next loop turn.
  void finish() {
    host_.is_pumping_ = false;
    host_.flush();
  }

 private:
  AgentHost& host_;
};

// --- The loop's work -------------------------------------------------------------------------------------------------

void AgentHost::pump() {
  if (is_closed_ || is_pumping_) return;
  Batch batch(*this);
  std::vector<net::Inbound> inbox = std::move(inbox_);
  port_->take_inbound(inbox);
  refresh_lease();
  for (net::Inbound& item : inbox) {
    if (is_closed_) break;
    if (const auto* event = std::get_if<link::LinkEvent>(&item.what)) {
      on_link_event(item.connection, *event);
    } else {
      const net::Frame& frame = std::get<net::Frame>(item.what);
      on_frame(item.connection, frame.bytes());
      if (is_closed_) break;  // By a coroutine that it resumed.
      port_->consumed(item.connection, frame);
    }
  }
  inbox.clear();
  inbox_ = std::move(inbox);
  start_ready_turns();
  batch.finish();
  if (vitals_->is_due(now_)) post_vitals();
}

// --- Outbound --------------------------------------------------------------------------------------------------------

void AgentHost::write_control(std::size_t connection, wire::Kind kind, std::string_view target, Epoch epoch) {
  const wire::EnvelopeFields fields{.kind = kind, .delivery_id = epoch.value(), .target = target};
  // Cannot fail: the target came in an envelope of the same limits.
  (void)wire::append_envelope(connections_[connection].out, fields);
  request_flush();
}

void AgentHost::wrote(std::size_t connection) {
  if (connections_[connection].out.size() >= wire::kStepBytes) submit(connection);
  request_flush();
}

void AgentHost::request_flush() {
  if (is_pumping_ || is_flush_posted_ || is_closed_) return;
  is_flush_posted_ = true;
  asio::post(io_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->flush();
  });
}

void AgentHost::submit(std::size_t connection) {
  Connection& state = connections_[connection];
  if (!state.done.is_empty()) {
    (void)wire::append_envelope(state.out, {.kind = wire::Kind::done, .payload = state.done.bytes()});
    state.done.clear();
  }
  if (state.out.is_empty()) return;
  if (state_ == State::stopped) {  // Nobody takes it any more.
    state.out.clear();
    return;
  }
  const std::size_t size = state.out.size();
  port_->submit(connection, std::exchange(state.out, ByteBuffer()), state.session);
  state.out.reserve(std::min(size, kUsualBatchBytes));
}

void AgentHost::flush() {
  is_flush_posted_ = false;
  if (is_closed_) return;
  for (std::size_t i = 0; i < connections_.size(); ++i) submit(i);
  arm_timer();
  check_waiters();
}

// --- Time ------------------------------------------------------------------------------------------------------------

void AgentHost::refresh_lease() {
  // Turns of every connection stop while one lease is out: an agent cannot tell its messages' shards apart.
  lease_until_ = TimePoint::max();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const SessionToken session = connections_[i].session;
    if (!session.is_zero()) lease_until_ = std::min(lease_until_, port_->lease_until(i, session));
  }
  const bool is_out = lease_until_ <= now_;
  scheduler_.hold(is_out);
  lease_retry_ = is_out ? now_ + kLeaseRetry : TimePoint::max();
}

TimePoint AgentHost::next_wakeup() const {
  TimePoint next = std::min({timers_.next(), scheduler_.next_idle(), lease_retry_});
  for (const Connection& connection : connections_) next = std::min(next, connection.calls.next_deadline());
  return next;
}

void AgentHost::run_due() {
  if (is_closed_ || is_pumping_) return;
  Batch batch(*this);
  refresh_lease();
  expire_calls();
  while (auto callback = timers_.take_due(now_)) (*callback)();
  passivate_idle();
  start_ready_turns();
  batch.finish();
  if (vitals_->is_due(now_)) post_vitals();
}

void AgentHost::arm_timer() {
  if (timing_ == Timing::stepped) return;
  const TimePoint next = next_wakeup();
  if (next >= timer_at_) return;
  timer_at_ = next;
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) {
      self->timer_at_ = TimePoint::max();
      self->run_due();
    }
  });
}

bool AgentHost::is_idle() const {
  if (scheduler_.running() > 0 || scheduler_.waiting() > 0 || is_flush_posted_) return false;
  return std::ranges::all_of(connections_, [](const Connection& connection) {
    return connection.calls.is_empty() && connection.out.is_empty() && connection.done.is_empty();
  });
}

Task<bool> AgentHost::wait_for(std::function<bool()> condition, TimePoint until) {
  if (condition()) co_return true;
  co_return co_await suspend<bool>([this, &condition, until](Resume<bool> resume, asio::cancellation_slot) {
    const std::uint64_t id = ++last_waiter_;
    TimerId timer;
    if (until != TimePoint::max()) {
      timer = timers_.add(until, [this, id] {
        const auto found = std::ranges::find(waiters_, id, &Waiter::id);
        if (found == waiters_.end()) return;
        Resume<bool> resume_late = std::move(found->resume);
        waiters_.erase(found);
        resume_late(false);
      });
    }
    waiters_.push_back({id, std::move(condition), timer, std::move(resume)});
    request_flush();
  });
}

void AgentHost::check_waiters() {
  if (waiters_.empty()) return;
  std::vector<Resume<bool>> satisfied;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!waiter->condition()) {
      ++waiter;
      continue;
    }
    timers_.cancel(waiter->timer);
    satisfied.push_back(std::move(waiter->resume));
    waiter = waiters_.erase(waiter);
  }
  for (Resume<bool>& resume : satisfied) resume(true);
}

}  // namespace parley
