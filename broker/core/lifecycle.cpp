#include "broker/core/lifecycle.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/core/hello_check.hpp"

namespace parley::broker {
namespace {

using wire::EnvelopeView;
using wire::Kind;

/// Half HELLOs of all peers together.
constexpr std::size_t kMaxJoiningBytes = std::size_t{256} * 1024 * 1024;

template <class T>
void move_behind(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

template <class Predicate>
void Lifecycle::lift_fences(Predicate predicate, std::vector<std::uint32_t>& orphans) {
  std::erase_if(state_.fences, [&](const Fence& fence) {
    if (!predicate(fence)) return false;
    placement_.lift(fence, orphans);
    return true;
  });
}

// ---- in

void Lifecycle::refuse(PeerHandle peer, std::string reason) {
  drop_joining(peer);
  outbox_.reset(peer, SessionToken(), std::move(reason));
}

void Lifecycle::drop_joining(PeerHandle peer) {
  const auto it = joining_.find(peer);
  if (it == joining_.end()) return;
  joining_bytes_ -= it->second.bytes;
  joining_.erase(it);
}

void Lifecycle::on_hello(PeerHandle peer, const EnvelopeView& envelope) {
  if (envelope.payload().size() > wire::kMaxControlBodyBytes) return refuse(peer, "HELLO is too large");
  auto body = wire::decode_body<wire::Hello>(envelope.payload());
  if (!body) return refuse(peer, body.error().message);
  if (state_.is_shutting_down) return refuse(peer, "the broker is shutting down");
  auto it = joining_.find(peer);
  if (it != joining_.end() && it->second.hello.incarnation != body->incarnation) {
    drop_joining(peer);
    it = joining_.end();
  }
  if (it == joining_.end() && body->is_last) return open(peer, std::move(*body));
  if (joining_.size() >= state_.config.max_sessions || joining_bytes_ + envelope.payload().size() > kMaxJoiningBytes) {
    return refuse(peer, "too many sessions are being opened");
  }
  if (it == joining_.end()) {
    it = joining_.emplace(peer, Joining{std::move(*body), 0, state_.now}).first;
  } else {
    wire::Hello& hello = it.value().hello;
    hello.is_last = body->is_last;
    move_behind(hello.types, body->types);
    move_behind(hello.subscriptions, body->subscriptions);
    move_behind(hello.activations, body->activations);
  }
  it.value().bytes += envelope.payload().size();
  joining_bytes_ += envelope.payload().size();
  if (!it->second.hello.is_last) return;
  wire::Hello whole = std::move(it.value().hello);
  drop_joining(peer);
  open(peer, std::move(whole));
}

void Lifecycle::open(PeerHandle peer, wire::Hello hello) {
  if (const auto checked = check_hello(hello, state_.config); !checked) return refuse(peer, checked.error().message);
  std::vector<std::uint32_t> orphans;
  Session* const old[] = {state_.sessions.find_peer(peer), state_.sessions.find_incarnation(hello.incarnation)};
  const std::size_t replaced = (old[0] != nullptr ? 1U : 0U) + (old[1] != nullptr && old[1] != old[0] ? 1U : 0U);
  if (state_.sessions.size() - replaced >= state_.config.max_sessions) return refuse_for_number(peer, hello.name);
  if (!has_room_for(hello)) return refuse(peer, "the broker knows too many agent types or subscriptions");
  const auto replace = [&](Session* session) {
    if (session == nullptr) return;
    // The same process has given up its old session; of another one on this connection nothing is known.
    const Parting parting = session->incarnation == hello.incarnation ? Parting::dead : Parting::lost;
    dissolve(*session, "replaced by a new HELLO", parting, orphans);
  };
  replace(old[0]);
  if (old[1] != old[0]) replace(old[1]);
  lift_fences([&](const Fence& fence) { return fence.incarnation == hello.incarnation; }, orphans);

  SessionToken token(state_.random.next());
  while (token.is_zero()) token = SessionToken(state_.random.next());
  auto made = std::make_unique<Session>(token, hello.credit_bytes, state_.pool);
  made->peer = peer;
  made->name = hello.name;
  made->incarnation = hello.incarnation;
  made->is_worker = hello.is_worker;
  made->opened = state_.now;
  made->last_heard = state_.now;
  made->last_heartbeat = state_.now;
  made->is_draining = state_.drains.contains(hello.incarnation);
  Session& session = state_.sessions.add(std::move(made));
  state_.counters.sessions_opened++;
  state_.note(CoreEvent::Type::session_opened, session.name);
  welcome(session);
  for (const wire::TypeRegistration& type : hello.types) (void)offers_.add_type(session, type);
  for (const wire::SubscriptionBody& subscription : hello.subscriptions)
    (void)offers_.add_subscription(session, subscription);
  for (const wire::LiveActivation& activation : hello.activations) announce(session, activation);
  if (session.is_draining) ask_all_passivations(session);
  if (session.is_worker) state_.note(CoreEvent::Type::roster_changed, session.name);
  for (const std::uint32_t slot : orphans) placement_.reroute(slot);
  for (const wire::TypeRegistration& offer : hello.types) {
    if (AgentType* const type = state_.registry.find(offer.name)) placement_.unpark(*type);
  }
  check_recovery();
}

void Lifecycle::refuse_for_number(PeerHandle peer, const std::string& name) {
  std::string reason = "too many sessions: this broker takes " + std::to_string(state_.config.max_sessions);
  if (!std::exchange(is_full_, true)) state_.note(CoreEvent::Type::sessions_full, name, reason);
  refuse(peer, std::move(reason));
}

bool Lifecycle::has_room_for(const wire::Hello& hello) {
  const auto is_new = [&](const wire::TypeRegistration& type) { return state_.registry.find(type.name) == nullptr; };
  const auto new_types = static_cast<std::size_t>(std::ranges::count_if(hello.types, is_new));
  const Session* const old = state_.sessions.find_incarnation(hello.incarnation);
  const std::size_t freed = old != nullptr ? old->subscriptions.size() : 0;
  return state_.registry.size() + new_types <= state_.config.max_types &&
         state_.subscriptions.size() - freed + hello.subscriptions.size() <= state_.config.max_subscriptions;
}

void Lifecycle::welcome(Session& session) {
  const CoreConfig& config = state_.config;
  wire::Welcome body;
  body.token = session.token.value();
  body.shard_epoch = config.shard_epoch;
  body.heartbeat_ms = static_cast<std::uint32_t>(config.heartbeat_interval.count());
  body.session_timeout_ms = static_cast<std::uint32_t>(config.session_timeout.count());
  body.max_inflight = config.max_inflight_per_session;
  body.max_deadline_ms = static_cast<std::uint32_t>(config.max_deadline.count());
  const ByteBuffer encoded = wire::encode_body(body);
  wire::EnvelopeFields fields;
  fields.kind = Kind::welcome;
  fields.payload = encoded.bytes();
  outbox_.control(session, fields);
}

void Lifecycle::announce(Session& session, const wire::LiveActivation& activation) {
  const Epoch epoch(activation.epoch);
  AgentType* const type = state_.registry.find(split_id(activation.id).type);
  const bool is_ours = epoch.value() >> 32U <= state_.config.shard_epoch;
  if (!is_ours || type == nullptr || !session.types.contains(type->index)) return evict(session, activation.id, epoch);
  std::vector<std::uint32_t> held;
  if (const std::uint32_t known = state_.directory.find(activation.id); known != kNil) {
    const Activation& other = state_.directory[known];
    if (other.worker == session.slot && other.epoch == epoch) return;  // listed twice
    if (other.epoch >= epoch) return evict(session, activation.id, epoch);
    if (other.worker != session.slot && other.worker != kNil)
      evict(state_.sessions[other.worker], activation.id, other.epoch);
    placement_.deactivate(known, held);
  }
  if (state_.is_directory_full()) {
    evict(session, activation.id, epoch);
  } else {
    state_.directory[placement_.activate(*type, session, activation.id, epoch)].is_announced = true;
  }
  for (const std::uint32_t slot : held) placement_.reroute(slot);
  const auto counter = static_cast<std::uint32_t>(epoch.value());
  if (epoch.value() >> 32U == state_.config.shard_epoch) {
    state_.epoch_counter = std::max(state_.epoch_counter, counter);
  }
}

void Lifecycle::evict(Session& session, std::string_view id, Epoch epoch) {
  state_.counters.evictions++;
  wire::EnvelopeFields fields;
  fields.kind = Kind::evict;
  fields.delivery_id = epoch.value();
  fields.target = id;
  outbox_.data(session, fields);
}

void Lifecycle::check_recovery() {
  if (!state_.is_recovering) return;
  const auto is_back = [&](std::uint64_t incarnation) {
    return state_.sessions.find_incarnation(incarnation) != nullptr;
  };
  const auto& expected = state_.config.expected_workers;
  const bool are_all_back = !expected.empty() && std::ranges::all_of(expected, is_back);
  if (!are_all_back && state_.now < state_.recovery_ends) return;
  router_.end_recovery();
  state_.note(CoreEvent::Type::recovery_ended, {}, are_all_back ? "all workers are back" : "the window is over");
}

// ---- out

void Lifecycle::on_goodbye(Session& session, const EnvelopeView& envelope) {
  const auto body = wire::decode_body<wire::Reason>(envelope.payload());
  end(session, body ? "goodbye: " + body->reason.substr(0, 200) : "goodbye", Parting::goodbye);
}

void Lifecycle::on_drain(Session& session) {
  session.is_draining = true;
  for (const auto& [type, index] : session.types) {
    if (Hosting* hosting = state_.registry.at(static_cast<std::uint32_t>(type)).hosting_of(session.slot))
      hosting->is_open = false;
  }
}

// [P-OPR-4]
void Lifecycle::drain(Session& session) {
  on_drain(session);
  state_.drains.insert_or_assign(session.incarnation, state_.now);
  ask_all_passivations(session);
}

void Lifecycle::ask_all_passivations(const Session& session) {
  for (std::uint32_t slot = session.activations.head; slot != kNil; slot = state_.directory[slot].next) {
    placement_.ask_passivation(slot);
  }
}

void Lifecycle::end_drain(std::uint64_t incarnation, std::string_view worker, std::string_view reason) {
  if (state_.drains.erase(incarnation) == 0) return;
  state_.note(CoreEvent::Type::drain_ended, std::string(worker), std::string(reason));
}

/// A process that was killed never comes back; one that is cut off has as long as its types are remembered.
void Lifecycle::forget_drains() {
  std::vector<std::uint64_t> gone;
  for (const auto& [incarnation, last_seen] : state_.drains) {
    if (state_.sessions.find_incarnation(incarnation) == nullptr &&
        state_.now - last_seen >= state_.config.type_memory) {
      gone.push_back(incarnation);
    }
  }
  for (const std::uint64_t incarnation : gone) end_drain(incarnation, {}, "it has not come back");
}

void Lifecycle::on_peer_gone(PeerHandle peer) {
  drop_joining(peer);
  if (Session* session = state_.sessions.find_peer(peer))
    end(*session, "the connection broke", state_.parting_of_gone());
}

void Lifecycle::end_doomed() {
  while (!state_.doomed.empty()) {
    const Doomed doomed = std::move(state_.doomed.back());
    state_.doomed.pop_back();
    const auto& sessions = state_.sessions.all();
    if (doomed.slot >= sessions.size() || !sessions[doomed.slot] || sessions[doomed.slot]->token != doomed.token)
      continue;
    end(*sessions[doomed.slot], doomed.reason, doomed.parting);
  }
}

void Lifecycle::end(Session& session, const std::string& reason, Parting parting) {
  std::vector<std::uint32_t> orphans;
  dissolve(session, reason, parting, orphans);
  for (const std::uint32_t slot : orphans) placement_.reroute(slot);
}

void Lifecycle::dissolve(Session& session, const std::string& reason, Parting parting,
                         std::vector<std::uint32_t>& orphans) {
  departure_.perform(session, reason, parting, orphans);
  if (parting == Parting::goodbye) {
    end_drain(session.incarnation, session.name, "goodbye");
  } else {
    state_.counters.sessions_lost++;
    if (const auto it = state_.drains.find(session.incarnation); it != state_.drains.end()) it.value() = state_.now;
  }
  state_.note(CoreEvent::Type::session_closed, session.name, reason);
  if (session.is_worker) state_.note(CoreEvent::Type::roster_changed, session.name);
  (void)state_.sessions.remove(session);
  is_full_ = false;
}

// ---- time

void Lifecycle::sweep() {
  state_.suggestions_left = kSuggestionsPerSweep;
  for (std::size_t slot = 0; slot < state_.sessions.all().size(); slot++) {
    Session* const session = state_.sessions.all()[slot].get();
    if (session == nullptr || state_.now - session->last_heard < state_.config.session_timeout) continue;
    end(*session, "nothing was heard from it for too long", Parting::lost);
  }
  probe_workers();
  std::vector<std::uint32_t> orphans;
  lift_fences([&](const Fence& fence) { return state_.now >= fence.until; }, orphans);
  for (const std::uint32_t slot : orphans) placement_.reroute(slot);
  forget_drains();
  std::vector<PeerHandle> late;
  for (const auto& [peer, joining] : joining_) {
    if (state_.now - joining.started >= state_.config.session_timeout) late.push_back(static_cast<PeerHandle>(peer));
  }
  for (const PeerHandle peer : late) drop_joining(peer);
  offers_.forget_types();
  check_recovery();
}

// A process that was killed leaves no word, and a transport tells only whoever sends: what a worker has in hand is
// worth a frame of 16 bytes four times a heartbeat, so that its callers hear at once instead of after the session
// timeout.
void Lifecycle::probe_workers() {
  for (const auto& session : state_.sessions.all()) {
    if (session && session->deliveries.count > 0) outbox_.probe(*session);
  }
}

void Lifecycle::forgive(Duration pause) {
  state_.counters.pauses++;
  for (const auto& session : state_.sessions.all()) {
    if (session) session->last_heard += pause;
  }
}

void Lifecycle::begin_shutdown() {
  state_.is_shutting_down = true;
  wire::EnvelopeFields fields;
  fields.kind = Kind::drain;
  for (const auto& session : state_.sessions.all()) {
    if (session) outbox_.control(*session, fields);
  }
}

}  // namespace parley::broker
