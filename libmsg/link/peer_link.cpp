#include "libmsg/link/peer_link.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/link/raw_envelope.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::link {
namespace {

using wire::Kind;

constexpr std::size_t kTypesPerHello = 128;
constexpr std::size_t kSubscriptionsPerHello = 1024;

/// Kinds that the broker sends from its control queue: they need no credit.
bool is_free_of_credit(Kind kind) {
  switch (kind) {
    case Kind::welcome:
    case Kind::reset:
    case Kind::heartbeat_ack:
    case Kind::accepted:
    case Kind::goodbye:
    case Kind::drain:
      return true;
    default:
      return false;
  }
}

/// The envelopes of a frame whose header BundleReader has checked.
Bytes envelopes_of(Bytes frame) { return frame.subspan(std::to_integer<std::size_t>(frame[3])); }

std::string reason_of(const wire::EnvelopeView& envelope) {
  const auto body = wire::decode_body<wire::Reason>(envelope.payload());
  return body && !body->reason.empty() ? body->reason : "no reason given";
}

/// Moves up to `count` values from `next` on; advances `next`.
template <class Iterator, class Take>
void take_some(Iterator& next, Iterator end, std::size_t count, Take take) {
  for (; next != end && count != 0; ++next, --count) take(*next);
}

}  // namespace

std::size_t credit_cost(Bytes frame) {
  if (!wire::BundleReader::open(frame)) return 0;
  const Bytes envelopes = envelopes_of(frame);
  if (envelopes.size() < wire::kEnvelopeHeaderBytes) return 0;
  return is_free_of_credit(RawEnvelope{envelopes}.kind()) ? 0 : frame.size();
}

std::uint64_t max_unreported(std::uint64_t credit_bytes) {
  if (credit_bytes <= wire::kMaxFrameBytes) return 0;
  return std::min(credit_bytes / 16, (credit_bytes - wire::kMaxFrameBytes) / 2);
}

bool is_session_bound(Kind kind) { return !is_numbered(kind) && kind != Kind::cancel; }

PeerLink::PeerLink(PeerLinkConfig config, Random& random)
    : config_(std::move(config)), random_(random), backoff_(config_.reconnect) {}

void PeerLink::add_type(wire::TypeRegistration type) {
  std::string name = type.name;
  types_.insert_or_assign(std::move(name), std::move(type));
}
void PeerLink::remove_type(const std::string& name) { types_.erase(name); }
void PeerLink::add_subscription(wire::SubscriptionBody subscription) {
  const std::uint64_t id = subscription.id;
  subscriptions_.insert_or_assign(id, std::move(subscription));
}
void PeerLink::remove_subscription(std::uint64_t id) { subscriptions_.erase(id); }

// Connection and session -------------------------------------------------------------------------------------------

void PeerLink::on_opened(TimePoint now) {
  if (state_ == State::finished) return;
  if (state_ == State::ready) lose("the connection was opened anew", now);
  if (state_ == State::finished) return;
  state_ = State::greeting;
  reopen_at_.reset();
  greeted_at_ = now;
  encode_hello();
}

void PeerLink::encode_hello() {
  hello_frames_.clear();
  auto type = types_.begin();
  auto subscription = subscriptions_.begin();
  auto activation = activations_.begin();
  bool is_last = false;
  while (!is_last) {
    wire::Hello hello{.name = config_.name,
                      .incarnation = config_.incarnation,
                      .is_worker = !types_.empty() || !activations_.empty(),
                      .credit_bytes = config_.credit_bytes};
    take_some(type, types_.end(), kTypesPerHello, [&](const auto& entry) { hello.types.push_back(entry.second); });
    take_some(subscription, subscriptions_.end(), kSubscriptionsPerHello,
              [&](const auto& entry) { hello.subscriptions.push_back(entry.second); });
    take_some(activation, activations_.end(), wire::kMaxActivationsPerHello,
              [&](const auto& entry) { hello.activations.push_back({.id = entry.first, .epoch = entry.second}); });
    is_last = type == types_.end() && subscription == subscriptions_.end() && activation == activations_.end();
    hello.is_last = is_last;
    hello_frames_.push_back(control_frame({}, Kind::hello, wire::encode_body(hello).bytes()));
  }
}

void PeerLink::on_disconnected(TimePoint now) {
  if (state_ == State::ready) {
    lose("the connection broke", now);
  } else if (state_ == State::greeting) {
    schedule_reopen(now);
  }
}

void PeerLink::schedule_reopen(TimePoint now) {
  hello_frames_.clear();
  handed_ = {};
  if (goodbye_) {
    state_ = State::finished;
    return;
  }
  state_ = State::closed;
  reopen_at_ = now + backoff_.next(random_);
}

bool PeerLink::take_reopen(TimePoint now) {
  if (state_ != State::closed || !reopen_at_ || now < *reopen_at_) return false;
  reopen_at_.reset();
  return true;
}

// Its connection is closed next, and the broker may take that for a proof that nothing starts here any more.
void PeerLink::lose(const std::string& reason, TimePoint now) {
  lease_until_ = std::min(lease_until_, now);
  events_.emplace_back(SessionLost{.reason = reason, .last_sent = MessageId(last_sent_)});
  token_ = SessionToken{};
  lost_up_to_ = last_sent_;
  drop_session_bound();
  schedule_reopen(now);
}

void PeerLink::say_goodbye(const std::string& reason, TimePoint now) {
  if (goodbye_ || state_ == State::finished) return;
  goodbye_ = reason;
  if (state_ != State::ready) schedule_reopen(now);
}

void PeerLink::on_tick(TimePoint now) {
  if (state_ == State::greeting && now >= greeted_at_ + config_.hello_timeout) schedule_reopen(now);
  if (state_ != State::ready) return;
  // After a pause of this process (a debugger, a stopped machine) the broker's answers may still be unread.
  const Duration gap = now - ticked_at_;
  if (gap > 2 * heartbeat_) heard_at_ = std::min(now, heard_at_ + gap);
  ticked_at_ = now;
  if (now >= heard_at_ + session_timeout_) {
    lose("the broker is silent", now);
    return;
  }
  if (now >= next_heartbeat_) {
    is_heartbeat_due_ = true;
    next_heartbeat_ = now + heartbeat_;
  }
}

TimePoint PeerLink::next_wakeup() const {
  switch (state_) {
    case State::closed:
      return reopen_at_.value_or(TimePoint::max());
    case State::greeting:
      return greeted_at_ + config_.hello_timeout;
    case State::ready:
      return std::min(next_heartbeat_, heard_at_ + session_timeout_);
    case State::finished:
      break;
  }
  return TimePoint::max();
}

// Frames from the broker -------------------------------------------------------------------------------------------

bool PeerLink::on_frame(Bytes frame, TimePoint now) {
  const auto bundle = wire::BundleReader::open(frame);
  if (!bundle) {
    counters_.malformed_frames++;
    return false;
  }
  const bool is_current = state_ == State::ready && bundle->token() == token_;
  const bool may_greet = state_ == State::greeting || (state_ == State::ready && bundle->token().is_zero());
  if (!is_current && !may_greet) {
    counters_.stale_frames++;
    return false;
  }
  if (is_current) heard_at_ = now;
  bool is_for_host = false;
  const bool is_whole = for_each_envelope(envelopes_of(frame), [&](const RawEnvelope& raw) {
    // Data needs no look here; the host checks it.
    if (wire::is_data(raw.kind())) {
      is_for_host = is_for_host || is_current;
      return;
    }
    const auto envelope = wire::EnvelopeView::parse(raw.bytes);
    if (!envelope) {
      counters_.malformed_frames++;
    } else if (on_control(*envelope, bundle->token(), now)) {
      is_for_host = true;
    }
  });
  if (!is_whole) counters_.malformed_frames++;
  if (is_current && !is_for_host) consumed(credit_cost(frame), bundle->token());
  return is_for_host;
}

/// True when the envelope is (also) for the host.
bool PeerLink::on_control(const wire::EnvelopeView& envelope, SessionToken token, TimePoint now) {
  const bool is_ready_now = state_ == State::ready;
  // Only a refusal of HELLO has no token; another RESET belongs to an older session.
  const bool is_refusal = state_ == State::greeting && token.is_zero();
  switch (envelope.kind()) {
    case Kind::welcome:
      if (state_ == State::greeting) on_welcome(envelope, now);
      return false;
    case Kind::reset:
      if (is_ready_now) lose("the broker does not know the session: " + reason_of(envelope), now);
      if (is_refusal) on_refused(envelope, now);
      return false;
    case Kind::goodbye:
      if (is_ready_now) lose("the broker said goodbye: " + reason_of(envelope), now);
      if (is_refusal) on_refused(envelope, now);
      return false;
    case Kind::drain:
      if (is_ready_now) events_.emplace_back(DrainRequested{});
      return false;
    case Kind::heartbeat_ack:
      if (is_ready_now) on_heartbeat_ack(envelope.message_id().value(), now);
      return false;
    case Kind::activate:
      if (is_ready_now) activations_.insert_or_assign(std::string(envelope.target()), envelope.epoch().value());
      return is_ready_now;
    case Kind::evict:
      if (is_ready_now) activations_.erase(std::string(envelope.target()));
      return is_ready_now;
    case Kind::passivate:
    case Kind::accepted:
    case Kind::inspect:
      return is_ready_now;
    default:
      return false;
  }
}

void PeerLink::on_refused(const wire::EnvelopeView& envelope, TimePoint now) {
  events_.emplace_back(SessionRefused{reason_of(envelope)});
  schedule_reopen(now);
}

void PeerLink::on_welcome(const wire::EnvelopeView& envelope, TimePoint now) {
  const auto welcome = wire::decode_body<wire::Welcome>(envelope.payload());
  if (!welcome || welcome->token == 0) {
    counters_.malformed_frames++;
    return;
  }
  counters_.sessions++;
  state_ = State::ready;
  backoff_.reset();
  hello_frames_.clear();
  handed_ = {};
  token_ = SessionToken(welcome->token);
  heartbeat_ = std::chrono::milliseconds(std::max(welcome->heartbeat_ms, 1U));
  session_timeout_ = std::max<Duration>(std::chrono::milliseconds(welcome->session_timeout_ms), 2 * heartbeat_);
  heard_at_ = now;
  ticked_at_ = now;
  next_heartbeat_ = now + heartbeat_;
  lease_until_ = greeted_at_ + session_timeout_ / 5 * 4;
  is_heartbeat_due_ = false;
  is_credit_due_ = false;
  consumed_ = 0;
  reported_ = 0;
  events_.emplace_back(SessionReady{*welcome});
}

void PeerLink::on_heartbeat_ack(std::uint64_t echoed_ns, TimePoint now) {
  const TimePoint sent_at{Duration(static_cast<Duration::rep>(echoed_ns))};
  // Only a time stamp of our own, from this session, can renew the lease.
  if (sent_at > now || sent_at < greeted_at_) return;
  lease_until_ = std::max(lease_until_, sent_at + session_timeout_ / 5 * 4);
}

void PeerLink::consumed(std::size_t bytes, std::optional<SessionToken> session) {
  if (state_ != State::ready || (session && *session != token_)) return;
  consumed_ += bytes;
  if (consumed_ != reported_ && consumed_ - reported_ >= max_unreported(config_.credit_bytes)) is_credit_due_ = true;
}

std::optional<LinkEvent> PeerLink::take_event() {
  if (events_.empty()) return std::nullopt;
  LinkEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace parley::link
