#include "libmsg/link/peer_link.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "libmsg/wire/envelope.hpp"

namespace parley::link {
namespace {

using wire::Kind;

constexpr std::size_t kTypesPerHello = 128;
constexpr std::size_t kSubscriptionsPerHello = 1024;
/// Batches written within this time share a frame; remaining_ms has the same grain.
constexpr Duration kTimeGrain = std::chrono::milliseconds(1);

/// One envelope of the host's own process: only its length is checked.
struct RawEnvelope {
  Bytes bytes;
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(bytes[wire::layout::kKind]); }
  [[nodiscard]] std::uint64_t message_id() const {
    return wire::load<std::uint64_t>(bytes.data() + wire::layout::kMessageId);
  }
  [[nodiscard]] std::uint32_t remaining_ms() const {
    return wire::load<std::uint32_t>(bytes.data() + wire::layout::kRemainingMs);
  }
};

/// Calls `visit` for each envelope; false when the bytes are not envelopes back to back.
template <class Visit>
bool for_each_envelope(Bytes rest, Visit visit) {
  while (!rest.empty()) {
    if (rest.size() < wire::kEnvelopeHeaderBytes) return false;
    const std::size_t length = wire::load<std::uint32_t>(rest.data());
    if (length < wire::kEnvelopeHeaderBytes || length > rest.size()) return false;
    visit(RawEnvelope{rest.first(length)});
    rest = rest.subspan(length);
  }
  return true;
}

/// Kinds whose message id the peer chose for a request or one-way message of its own.
bool is_numbered(Kind kind) {
  switch (kind) {
    case Kind::request:
    case Kind::send:
    case Kind::event:
    case Kind::register_type:
    case Kind::unregister_type:
    case Kind::subscribe:
    case Kind::unsubscribe:
    case Kind::query:
    case Kind::operate:
      return true;
    default:
      return false;
  }
}

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

ByteBuffer control_frame(SessionToken token, Kind kind, Bytes payload) {
  ByteBuffer frame(wire::kBundleHeaderBytes + wire::kEnvelopeHeaderBytes + payload.size());
  wire::begin_bundle(frame, token);
  // Bodies of this process stay within the limits, so this cannot fail.
  static_cast<void>(wire::append_envelope(frame, {.kind = kind, .payload = payload}));
  return frame;
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

// Envelopes from the host ------------------------------------------------------------------------------------------

Result<> PeerLink::check_room(Bytes envelopes) const {
  std::size_t count = 0;
  bool has_numbered = false;
  bool has_answer = false;
  const bool is_whole = for_each_envelope(envelopes, [&](const RawEnvelope& envelope) {
    count++;
    has_numbered = has_numbered || is_numbered(envelope.kind());
    has_answer = has_answer || envelope.kind() == Kind::reply || envelope.kind() == Kind::part;
  });
  if (!is_whole) return fail(ErrorCode::invalid, "the batch is not made of whole envelopes");
  // What is left is small, and one for each message of the broker's at most: it always finds room.
  if (is_whole && !has_numbered && !has_answer) return {};
  // Answers get twice the room: refusing new requests first is what makes room for them.
  const std::size_t factor = has_numbered ? 1 : 2;
  if (waiting_bytes_ + envelopes.size() > factor * config_.max_waiting_bytes ||
      waiting_envelopes_ + count > factor * config_.max_waiting_envelopes) {
    return fail(ErrorCode::overloaded, "too many messages wait for the broker; try again later");
  }
  return {};
}

Result<> PeerLink::submit(Bytes envelopes, TimePoint now, std::optional<SessionToken> written_in) {
  if (goodbye_ || state_ == State::finished) return fail(ErrorCode::shutting_down, "the link to the broker is closing");
  if (auto room = check_room(envelopes); !room) return room;

  const bool is_current = state_ == State::ready && (!written_in || *written_in == token_);
  std::size_t run_start = 0;
  std::size_t run_end = 0;
  std::size_t run_room = 0;
  std::size_t run_count = 0;
  std::uint64_t run_last_id = 0;
  const auto end_run = [&](std::size_t next_start) {
    append_run(envelopes.subspan(run_start, run_end - run_start), run_count, run_last_id, now);
    run_start = run_end = next_start;
    run_count = 0;
    run_last_id = 0;
  };
  for_each_envelope(envelopes, [&](const RawEnvelope& raw) {
    const Kind kind = raw.kind();
    const std::size_t length = raw.bytes.size();
    if (kind == Kind::deactivated) {
      if (const auto envelope = wire::EnvelopeView::parse(raw.bytes)) {
        // A later placement of the same id may have come meanwhile.
        const auto kept = activations_.find(std::string(envelope->target()));
        if (kept != activations_.end() && kept->second <= envelope->epoch().value()) activations_.erase(kept);
      }
    }
    if ((is_session_bound(kind) && !is_current) || (kind == Kind::cancel && raw.message_id() <= lost_up_to_)) {
      counters_.dropped_envelopes++;
      end_run(run_end + length);
      return;
    }
    if (run_count != 0 && run_end - run_start + length > run_room) end_run(run_end);
    if (run_count == 0) {
      run_room = tail_room(now);
      if (length > run_room) run_room = wire::kBundleTargetBytes - wire::kBundleHeaderBytes;
    }
    run_end += length;
    run_count++;
    if (is_numbered(kind)) run_last_id = raw.message_id();
  });
  end_run(run_end);
  return {};
}

/// Bytes that fit into the last waiting frame; 0 when a new one is needed.
std::size_t PeerLink::tail_room(TimePoint now) const {
  if (waiting_.empty() || now - waiting_.back().since >= kTimeGrain) return 0;
  const std::size_t used = waiting_.back().frame.size();
  return used < wire::kBundleTargetBytes ? wire::kBundleTargetBytes - used : 0;
}

void PeerLink::append_run(Bytes run, std::size_t envelopes, std::uint64_t last_id, TimePoint now) {
  if (run.empty()) return;
  if (run.size() > tail_room(now)) {
    Batch& fresh =
        waiting_.emplace_back(Batch{.frame = ByteBuffer(wire::kBundleHeaderBytes + run.size()), .since = now});
    wire::begin_bundle(fresh.frame, token_);
  }
  Batch& tail = waiting_.back();
  tail.frame.append(run);
  tail.envelopes += envelopes;
  tail.last_id = std::max(tail.last_id, last_id);
  waiting_bytes_ += run.size();
  waiting_envelopes_ += envelopes;
}

namespace {

/// Keeps the envelopes for which `keep` is true, closing the gaps; returns how many went.
template <class Keep>
std::size_t keep_envelopes(ByteBuffer& frame, Keep keep) {
  std::size_t to = wire::kBundleHeaderBytes;
  std::size_t dropped = 0;
  for_each_envelope(frame.bytes().subspan(wire::kBundleHeaderBytes), [&](const RawEnvelope& raw) {
    if (!keep(raw)) {
      dropped++;
      return;
    }
    std::memmove(frame.data() + to, raw.bytes.data(), raw.bytes.size());
    to += raw.bytes.size();
  });
  frame.truncate(to);
  return dropped;
}

}  // namespace

void PeerLink::drop_session_bound() {
  for (Batch& batch : waiting_) {
    const std::size_t before = batch.frame.size();
    const std::size_t dropped = keep_envelopes(batch.frame, [&](const RawEnvelope& raw) {
      return !is_session_bound(raw.kind()) && (raw.kind() != Kind::cancel || raw.message_id() > lost_up_to_);
    });
    batch.envelopes -= dropped;
    waiting_envelopes_ -= dropped;
    waiting_bytes_ -= before - batch.frame.size();
    counters_.dropped_envelopes += dropped;
  }
  std::erase_if(waiting_, [](const Batch& batch) { return batch.envelopes == 0; });
}

/// Takes the time that a batch has waited off its envelopes' remaining time; drops those that have none left.
void PeerLink::age(Batch& batch, TimePoint now) {
  const auto waited =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now - batch.since).count());
  const std::size_t dropped = keep_envelopes(batch.frame, [&](const RawEnvelope& raw) {
    const std::uint32_t remaining = raw.remaining_ms();
    if (remaining == wire::kNoDeadline) return true;
    if (remaining <= waited) return false;
    auto* const envelope = batch.frame.data() + (raw.bytes.data() - batch.frame.data());
    wire::patch_remaining_ms(envelope, static_cast<std::uint32_t>(remaining - waited));
    return true;
  });
  batch.envelopes -= dropped;
  batch.since += std::chrono::milliseconds(waited);
  counters_.expired_envelopes += dropped;
}

// Frames to the broker ---------------------------------------------------------------------------------------------

std::optional<ByteBuffer> PeerLink::next_frame(TimePoint now) {
  if (state_ == State::greeting && !hello_frames_.empty()) {
    ByteBuffer frame = std::move(hello_frames_.front());
    hello_frames_.pop_front();
    handed_ = {.what = Handed::What::hello};
    return frame;
  }
  if (state_ != State::ready) return std::nullopt;
  if (auto frame = next_control_frame(now)) return frame;
  if (auto frame = next_data_frame(now)) return frame;
  if (!goodbye_) return std::nullopt;
  state_ = State::finished;
  handed_ = {.what = Handed::What::goodbye};
  return control_frame(token_, Kind::goodbye, wire::encode_body(wire::Reason{*goodbye_}).bytes());
}

std::optional<ByteBuffer> PeerLink::next_control_frame(TimePoint now) {
  if (!is_heartbeat_due_ && !is_credit_due_) return std::nullopt;
  ByteBuffer frame(wire::kBundleHeaderBytes + 2 * wire::kEnvelopeHeaderBytes);
  wire::begin_bundle(frame, token_);
  handed_ = {.what = Handed::What::control, .has_heartbeat = is_heartbeat_due_, .has_credit = false};
  if (is_heartbeat_due_) {
    const auto clock = static_cast<std::uint64_t>(now.time_since_epoch().count());
    const ByteBuffer vitals = config_.vitals ? config_.vitals(now) : ByteBuffer();
    static_cast<void>(
        wire::append_envelope(frame, {.kind = Kind::heartbeat, .message_id = clock, .payload = vitals.bytes()}));
  }
  if (is_credit_due_ || consumed_ != reported_) {
    static_cast<void>(wire::append_envelope(frame, {.kind = Kind::credit, .message_id = consumed_}));
    reported_ = consumed_;
    handed_.has_credit = true;
  }
  is_heartbeat_due_ = false;
  is_credit_due_ = false;
  return frame;
}

std::optional<ByteBuffer> PeerLink::next_data_frame(TimePoint now) {
  while (!waiting_.empty()) {
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= batch.frame.size() - wire::kBundleHeaderBytes;
    waiting_envelopes_ -= batch.envelopes;
    if (now - batch.since >= kTimeGrain) age(batch, now);
    if (batch.envelopes == 0) continue;
    wire::patch_token(batch.frame.data(), token_);
    handed_ = {.what = Handed::What::data,
               .since = batch.since,
               .previous_last_sent = last_sent_,
               .last_id = batch.last_id,
               .envelopes = batch.envelopes};
    last_sent_ = std::max(last_sent_, batch.last_id);
    return std::move(batch.frame);
  }
  return std::nullopt;
}

void PeerLink::give_back(ByteBuffer frame) {
  const Handed handed = std::exchange(handed_, Handed{});
  switch (handed.what) {
    case Handed::What::nothing:
      break;
    case Handed::What::hello:
      hello_frames_.push_front(std::move(frame));
      break;
    case Handed::What::control:
      is_heartbeat_due_ = is_heartbeat_due_ || handed.has_heartbeat;
      is_credit_due_ = is_credit_due_ || handed.has_credit;
      break;
    case Handed::What::goodbye:
      state_ = State::ready;
      break;
    case Handed::What::data:
      last_sent_ = handed.previous_last_sent;
      waiting_bytes_ += frame.size() - wire::kBundleHeaderBytes;
      waiting_envelopes_ += handed.envelopes;
      waiting_.push_front(Batch{
          .frame = std::move(frame), .since = handed.since, .last_id = handed.last_id, .envelopes = handed.envelopes});
      break;
  }
}

}  // namespace parley::link
