#include "broker/core/core.hpp"

#include <algorithm>
#include <utility>

#include "broker/core/control.hpp"
#include "broker/core/flusher.hpp"
#include "broker/core/health_watch.hpp"
#include "broker/core/invariants.hpp"
#include "broker/core/labelled_numbers.hpp"
#include "broker/core/lifecycle.hpp"
#include "broker/core/offers.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/placement.hpp"
#include "broker/core/reports.hpp"
#include "broker/core/router.hpp"
#include "broker/core/settlement.hpp"
#include "broker/core/state.hpp"
#include "libmsg/wire/bundle.hpp"

namespace parley::broker {
namespace {

using wire::EnvelopeView;
using wire::Kind;

/// How soon a frame that the transport had no room for is offered again.
constexpr Duration kRetryStalled = std::chrono::milliseconds(2);

}  // namespace

/// Wires the parts together, keeps the time, and hands each envelope to the part that knows its kind.
class Core::Impl {
 public:
  Impl(CoreConfig config, Random& random, TimePoint now, WallTime wall_now)
      : state_(std::move(config), random, now, wall_now), next_sweep_(now + sweep_interval()) {}

  void on_frame(PeerHandle peer, Bytes frame, TimePoint now);
  void on_peer_gone(PeerHandle peer, TimePoint now);
  void on_tick(TimePoint now, WallTime wall_now);
  void flush(FrameSink& sink, TimePoint now);
  [[nodiscard]] TimePoint next_wakeup() const;

  State& state() { return state_; }
  [[nodiscard]] const State& state() const { return state_; }
  void begin_shutdown(TimePoint now);

 private:
  [[nodiscard]] Duration sweep_interval() const { return Duration(state_.config.heartbeat_interval) / 4; }
  void advance(TimePoint now);
  void on_envelope(PeerHandle peer, SessionToken token, const EnvelopeView& envelope);
  void on_agent_message(Session& session, const EnvelopeView& envelope);
  void on_session_message(Session& session, const EnvelopeView& envelope);

  State state_;
  Outbox outbox_{state_};
  Settlement settlement_{state_, outbox_};
  Placement placement_{state_, outbox_, settlement_};
  Router router_{state_, outbox_, settlement_, placement_};
  Offers offers_{state_, settlement_, placement_};
  Lifecycle lifecycle_{state_, outbox_, settlement_, placement_, router_, offers_};
  Control control_{state_, outbox_, settlement_, placement_, router_, lifecycle_, offers_};
  HealthWatch health_{state_};
  Flusher flusher_{state_, outbox_};
  TimePoint next_sweep_;
};

// Time never runs backwards here, and a gap longer than a heartbeat means that this process itself stood still.
void Core::Impl::advance(TimePoint now) {
  const Duration gap = now - state_.now;
  if (gap <= Duration::zero()) return;
  state_.now = now;
  if (gap > state_.config.heartbeat_interval) [[unlikely]]
    lifecycle_.forgive(gap);
}

void Core::Impl::on_frame(PeerHandle peer, Bytes frame, TimePoint now) {
  advance(now);
  state_.counters.frames_in++;
  state_.counters.bytes_in += frame.size();
  auto bundle = wire::BundleReader::open(frame);
  if (!bundle) {
    state_.counters.invalid_frames++;
    return;
  }
  const SessionToken token = bundle->token();
  if (Session* session = state_.sessions.find_peer(peer); session != nullptr && session->token == token) {
    session->last_heard = now;
  }
  while (const auto envelope = bundle->next()) on_envelope(peer, token, *envelope);
  if (bundle->error()) state_.counters.invalid_frames++;
  lifecycle_.end_doomed();
}

// The session is looked up for every envelope: an earlier one in the same frame may have opened or ended it.
void Core::Impl::on_envelope(PeerHandle peer, SessionToken token, const EnvelopeView& envelope) {
  if (envelope.kind() == Kind::hello) return lifecycle_.on_hello(peer, envelope);
  Session* const session = state_.sessions.find_peer(peer);
  if (session == nullptr || session->token != token) [[unlikely]] {
    return outbox_.reset(peer, token, "no such session here");
  }
  if (wire::is_data(envelope.kind())) {
    on_agent_message(*session, envelope);
  } else {
    on_session_message(*session, envelope);
  }
}

void Core::Impl::on_agent_message(Session& session, const EnvelopeView& envelope) {
  switch (envelope.kind()) {
    case Kind::request:
      return router_.on_request(session, envelope);
    case Kind::reply:
    case Kind::error:
    case Kind::part:
      return router_.on_answer(session, envelope);
    case Kind::send:
      return router_.on_send(session, envelope);
    case Kind::event:
      return router_.on_event(session, envelope);
    case Kind::cancel:
      return router_.on_cancel(session, envelope);
    default:
      state_.counters.unknown_kinds++;
  }
}

void Core::Impl::on_session_message(Session& session, const EnvelopeView& envelope) {
  switch (envelope.kind()) {
    case Kind::goodbye:
      return lifecycle_.on_goodbye(session, envelope);
    case Kind::drain:
      return lifecycle_.on_drain(session);
    case Kind::heartbeat:
      session.last_heartbeat = state_.now;
      session.out.set_heartbeat(envelope.message_id().value());
      health_.on_heartbeat(session, envelope);
      return outbox_.mark(session);
    case Kind::credit:
      session.out.on_credit(envelope.message_id().value());
      return outbox_.mark(session);
    case Kind::register_type:
      return control_.on_register_type(session, envelope);
    case Kind::unregister_type:
      return control_.on_unregister_type(session, envelope);
    case Kind::subscribe:
      return control_.on_subscribe(session, envelope);
    case Kind::unsubscribe:
      return control_.on_unsubscribe(session, envelope);
    case Kind::query:
      return control_.on_query(session, envelope);
    case Kind::operate:
      return control_.on_operate(session, envelope);
    case Kind::done:
      return router_.on_done(session, envelope);
    case Kind::passivate:
      return control_.on_passivate(session, envelope);
    case Kind::deactivated:
      return control_.on_deactivated(session, envelope);
    case Kind::inspect:
      return control_.inquiries().on_answer(session, envelope);
    case Kind::welcome:
    case Kind::reset:
    case Kind::heartbeat_ack:
    case Kind::accepted:
    case Kind::activate:
    case Kind::evict:
      state_.counters.invalid_frames++;  // only a broker says these
      return;
    default:
      state_.counters.unknown_kinds++;
  }
}

void Core::Impl::on_peer_gone(PeerHandle peer, TimePoint now) {
  advance(now);
  lifecycle_.on_peer_gone(peer);
}

void Core::Impl::on_tick(TimePoint now, WallTime wall_now) {
  advance(now);
  state_.wall_mark = wall_now;
  state_.wall_mark_at = state_.now;
  settlement_.expire_due();
  control_.inquiries().expire();
  if (state_.now >= next_sweep_ || (state_.is_recovering && state_.now >= state_.recovery_ends)) {
    next_sweep_ = state_.now + sweep_interval();
    lifecycle_.sweep();
    health_.sweep();
  }
  lifecycle_.end_doomed();
}

void Core::Impl::flush(FrameSink& sink, TimePoint now) {
  advance(now);
  flusher_.flush(sink);
  while (!state_.doomed.empty()) {
    lifecycle_.end_doomed();
    flusher_.flush(sink);
  }
}

TimePoint Core::Impl::next_wakeup() const {
  TimePoint next = std::min({next_sweep_, state_.wheel.next_wakeup(), control_.inquiries().next_wakeup()});
  if (state_.is_recovering) next = std::min(next, state_.recovery_ends);
  if (flusher_.is_stalled()) next = std::min(next, state_.now + kRetryStalled);
  return next;
}

void Core::Impl::begin_shutdown(TimePoint now) {
  advance(now);
  if (!state_.is_shutting_down) lifecycle_.begin_shutdown();
}

Core::Core(CoreConfig config, Random& random, TimePoint now, WallTime wall_now)
    : impl_(std::make_unique<Impl>(std::move(config), random, now, wall_now)) {}
Core::~Core() = default;

void Core::on_frame(PeerHandle peer, Bytes frame, TimePoint now) { impl_->on_frame(peer, frame, now); }
void Core::on_peer_gone(PeerHandle peer, TimePoint now) { impl_->on_peer_gone(peer, now); }
void Core::on_tick(TimePoint now, WallTime wall_now) { impl_->on_tick(now, wall_now); }
TimePoint Core::next_wakeup() const { return impl_->next_wakeup(); }
void Core::flush(FrameSink& sink, TimePoint now) { impl_->flush(sink, now); }
void Core::begin_shutdown(TimePoint now) { impl_->begin_shutdown(now); }

bool Core::is_idle() const {
  const State& state = impl_->state();
  const auto has_nothing_queued = [](const auto& session) { return !session || session->out.bytes() == 0; };
  return state.deliveries.size() == 0 && std::ranges::all_of(state.sessions.all(), has_nothing_queued);
}

std::vector<CoreEvent> Core::take_events() { return std::exchange(impl_->state().events, {}); }

std::vector<std::uint64_t> Core::roster() const {
  std::vector<std::uint64_t> incarnations;
  for (const auto& session : impl_->state().sessions.all()) {
    if (session && session->is_worker) incarnations.push_back(session->incarnation);
  }
  std::ranges::sort(incarnations);
  return incarnations;
}

std::vector<wire::PsQuarantine> Core::quarantines() const { return impl_->state().quarantines.list(); }

std::vector<std::uint64_t> Core::drains() const {
  std::vector<std::uint64_t> incarnations;
  for (const auto& [incarnation, last_seen] : impl_->state().drains) incarnations.push_back(incarnation);
  std::ranges::sort(incarnations);
  return incarnations;
}

std::vector<wire::NamedNumber> Core::numbers() const { return Reports(impl_->state()).numbers(); }

std::vector<wire::NamedNumber> Core::labelled_numbers() const { return labelled_numbers_of(impl_->state()); }

std::vector<std::string> Core::broken_invariants() const { return find_broken_invariants(impl_->state()); }

wire::PsReport Core::ps(TimePoint now) const {
  wire::PsReport report = Reports(impl_->state()).ps();
  const Duration since = now - impl_->state().now;
  report.uptime_ms += static_cast<std::uint64_t>(std::max<std::int64_t>(since / std::chrono::milliseconds(1), 0));
  return report;
}

}  // namespace parley::broker
