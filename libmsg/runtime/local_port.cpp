#include "libmsg/runtime/local_port.hpp"

#include <utility>

#include "libmsg/net/refuse.hpp"

namespace parley {
namespace {

/// In one process nobody can be lost, so nothing is concluded from silence: a handler may block the thread for minutes.
constexpr std::chrono::hours kHeartbeat{1};
constexpr std::chrono::hours kSessionTimeout{24};

broker::CoreConfig without_silence(broker::CoreConfig config) {
  config.heartbeat_interval = kHeartbeat;
  config.session_timeout = kSessionTimeout;
  return config;
}

link::PeerLinkConfig link_config(std::string name, Random& random, std::function<ByteBuffer(TimePoint)> vitals) {
  link::PeerLinkConfig config;
  config.name = std::move(name);
  config.incarnation = random.next();
  config.vitals = std::move(vitals);
  return config;
}

bool has_query(Bytes batch) {
  while (const auto envelope = wire::EnvelopeView::parse(batch)) {
    if (envelope->kind() == wire::Kind::query) return true;
    batch = batch.subspan(envelope->length());
  }
  return false;
}

}  // namespace

/// Collects what the broker sends to its one peer.
class LocalPort::Sink final : public broker::FrameSink {
 public:
  explicit Sink(LocalPort& port) : port_(port) {}
  broker::SendStatus send(broker::PeerHandle peer, ByteBuffer& frame) override {
    if (peer != port_.peer_) return broker::SendStatus::gone;
    port_.from_broker_.push_back(std::move(frame));
    return broker::SendStatus::sent;
  }

 private:
  LocalPort& port_;
};

LocalPort::LocalPort(std::string name, broker::CoreConfig config, Clock& clock, Random& random,
                     std::function<void()> on_inbound, std::function<void()> on_exchange,
                     std::function<ByteBuffer(TimePoint)> vitals)
    : clock_(clock),
      link_(link_config(std::move(name), random, std::move(vitals)), random),
      core_(without_silence(std::move(config)), random, clock.now(), clock.wall_now()),
      on_inbound_(std::move(on_inbound)),
      on_exchange_(std::move(on_exchange)) {}

void LocalPort::start() {
  is_started_ = true;
  tick();
}

void LocalPort::stop(const std::string& reason) {
  if (is_stopped_) return;
  link_.say_goodbye(reason, clock_.now());
  exchange_frames();
  is_stopped_ = true;
}

void LocalPort::add_type(std::size_t /*connection*/, wire::TypeRegistration type) { link_.add_type(std::move(type)); }
void LocalPort::remove_type(std::size_t /*connection*/, std::string name) { link_.remove_type(name); }
void LocalPort::add_subscription(std::size_t /*connection*/, wire::SubscriptionBody subscription) {
  link_.add_subscription(std::move(subscription));
}
void LocalPort::remove_subscription(std::size_t /*connection*/, std::uint64_t id) { link_.remove_subscription(id); }

void LocalPort::submit(std::size_t /*connection*/, ByteBuffer batch, SessionToken session) {
  if (has_query(batch.bytes())) link_.beat();  // So that the answer knows how this process is.
  if (const Result<> taken = link_.submit(batch.bytes(), clock_.now(), session); !taken) {
    refuse(batch.bytes(), session, taken.error());
  }
  exchange_frames();
}

void LocalPort::consumed(std::size_t /*connection*/, const net::Frame& frame) {
  link_.consumed(link::credit_cost(frame.bytes()));
}

bool LocalPort::take_inbound(std::vector<net::Inbound>& into) {
  if (inbound_.empty()) return false;
  for (net::Inbound& item : inbound_) into.push_back(std::move(item));
  inbound_.clear();
  return true;
}

TimePoint LocalPort::lease_until(std::size_t /*connection*/, SessionToken session) const {
  return session == link_.session() ? TimePoint::max() : TimePoint::min();
}

void LocalPort::tick() {
  if (!is_started_ || is_stopped_) return;
  const TimePoint now = clock_.now();
  if (link_.take_reopen(now)) {
    core_.on_peer_gone(peer_, now);
    peer_++;
    from_broker_.clear();
    link_.on_opened(now);
  }
  core_.on_tick(now, clock_.wall_now());
  link_.on_tick(now);
  exchange_frames();
}

TimePoint LocalPort::next_wakeup() const {
  return is_started_ && !is_stopped_ ? std::min(core_.next_wakeup(), link_.next_wakeup()) : TimePoint::max();
}

bool LocalPort::is_idle() const { return core_.is_idle() && inbound_.empty(); }

/// Until both sides have nothing more to say.
void LocalPort::exchange_frames() {
  if (!is_started_ || is_stopped_) return;
  const TimePoint now = clock_.now();
  Sink sink(*this);
  for (bool is_moving = true; is_moving;) {
    is_moving = false;
    while (std::optional<ByteBuffer> frame = link_.next_frame(now)) {
      core_.on_frame(peer_, frame->bytes(), now);
      is_moving = true;
    }
    core_.flush(sink, now);
    while (!from_broker_.empty()) {
      ByteBuffer frame = std::move(from_broker_.front());
      from_broker_.pop_front();
      const bool is_for_host = link_.on_frame(frame.bytes(), now);
      take_events();
      if (is_for_host) push({0, net::Frame(std::move(frame))});
      is_moving = true;
    }
    take_events();
  }
  (void)core_.take_events();
  on_exchange_();
}

void LocalPort::take_events() {
  while (std::optional<link::LinkEvent> event = link_.take_event()) push({0, std::move(*event)});
}

void LocalPort::push(net::Inbound item) {
  const bool was_empty = inbound_.empty();
  inbound_.push_back(std::move(item));
  if (was_empty) on_inbound_();
}

void LocalPort::refuse(Bytes batch, SessionToken session, const Error& why) {
  net::Refused refused = net::refuse(batch, why);
  if (!refused.answers.is_empty()) push({0, net::Frame(std::move(refused.answers))});
  if (link_.submit(refused.rest.bytes(), clock_.now(), session)) return;
  (void)link_.submit(net::shorten(refused.rest.bytes(), why).bytes(), clock_.now(), session);
}

}  // namespace parley
