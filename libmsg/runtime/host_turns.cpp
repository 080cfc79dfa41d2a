// Turns and activations: from a delivery to the end of its handler, and putting activations away.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <exception>
#include <spdlog/spdlog.h>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

/// Coroutines kept for the next turn; more than these end after a burst.
constexpr std::size_t kMaxParkedRunners = 1024;
constexpr std::size_t kMaxSpareTurns = 4096;
/// An error's text is cut to this, so that a handler's exception cannot make an envelope too large.
constexpr std::size_t kMaxErrorText = 4096;
constexpr std::string_view kErrorType = "parley.Error";

/// `ids` are joined by newlines, oldest first.
bool is_in_chain(std::string_view ids, std::string_view id) {
  for (;;) {
    const std::size_t end = ids.find('\n');
    if (ids.substr(0, end) == id) return true;
    if (end == std::string_view::npos) return false;
    ids.remove_prefix(end + 1);
  }
}

std::size_t chain_length(std::string_view ids) {
  return ids.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(ids, '\n')) + 1;
}

Error failed_by(const Turn& turn, std::string_view what) {
  return {ErrorCode::handler_failed,
          "agent '" + turn.self().str() + "' failed on '" + turn.message.type + "': " + std::string(what)};
}

}  // namespace

// --- Arrival ---------------------------------------------------------------------------------------------------------

void AgentHost::on_delivery(std::size_t connection, const wire::EnvelopeView& envelope) {
  const DeliveryId delivery = envelope.delivery_id();
  const std::size_t index = envelope.recipient();
  AgentType* const type = index < types_.size() ? types_[index].get() : nullptr;
  if (type == nullptr) {
    return answer_error(connection, delivery, {ErrorCode::undeliverable, "this worker has no such agent type"});
  }
  const std::string_view target = envelope.target();
  const bool is_event = envelope.kind() == wire::Kind::event;
  std::string_view id = target;
  if (is_event || target.starts_with('@')) {
    const std::string_view key = split_id(target).key;
    scratch_id_.assign(type->name).append(1, '/').append(key.empty() ? kDefaultKey : key);
    id = scratch_id_;
  }
  Activation* const activation = scheduler_.find(id);
  if (activation == nullptr) {
    return answer_error(connection, delivery,
                        {ErrorCode::undeliverable, "'" + std::string(id) + "' is not active on this worker"});
  }
  if (is_event && envelope.source() == id) {  // An agent does not hear its own events.
    return report_done(connection, delivery);
  }
  TurnPtr turn = take_turn();
  if (Result<> filled = fill_turn(*turn, connection, envelope, *activation); !filled) {
    return refuse(std::move(turn), filled.error());
  }
  const std::string_view chain = turn->is_request() ? turn->attribute(wire::attribute::kCallChain) : std::string_view();
  if (chain_length(chain) > wire::kMaxCallChain) {
    return refuse(std::move(turn), {ErrorCode::deadlock, "more than " + std::to_string(wire::kMaxCallChain) +
                                                             " agents wait for each other in one call chain"});
  }
  const bool is_own_chain = !chain.empty() && is_in_chain(chain, activation->id);
  Turn* const queued = turn.get();
  std::optional<TurnPtr> started;
  refresh_lease();  // The session may have ended behind this batch's back.
  const Admission admission = is_own_chain && activation->body.is_activating
                                  ? Admission::deadlock
                                  : scheduler_.admit(*activation, turn, is_own_chain, now_, started);
  switch (admission) {
    case Admission::start:
      return start_delivered(std::move(*started));
    case Admission::queued:
      activation->body.type->waiting++;
      return list_delivery(*queued);
    case Admission::overloaded:
      return refuse(std::move(turn),
                    {ErrorCode::overloaded, "the mailbox of '" + activation->id + "' is full (" +
                                                std::to_string(activation->rules.max_mailbox) + " messages wait)"});
    case Admission::deadlock:
      return refuse(std::move(turn),
                    {ErrorCode::deadlock, "the call chain leads back to '" + activation->id + "', which waits for it"});
  }
}

/// Most handlers end within their first resumption; only the others need to be found by a CANCEL.
void AgentHost::start_delivered(TurnPtr turn) {
  Turn* const started = turn.get();
  bool has_ended = false;
  started->has_ended = &has_ended;
  start_turn(std::move(turn));
  if (has_ended) return;
  started->has_ended = nullptr;
  list_delivery(*started);
}

void AgentHost::list_delivery(Turn& turn) {
  if (!turn.is_request()) return;
  deliveries_.emplace(turn.delivery.value(), &turn);
  turn.is_listed = true;
}

AgentHost::TurnPtr AgentHost::take_turn() {
  if (spare_turns_.empty()) return std::make_unique<Turn>(*this);
  TurnPtr turn = std::move(spare_turns_.back());
  spare_turns_.pop_back();
  return turn;
}

void AgentHost::recycle(TurnPtr turn) {
  if (turn->is_listed) deliveries_.erase(turn->delivery.value());
  turn->is_listed = false;
  turn->is_answered = false;
  turn->activation = nullptr;
  turn->cancelled.reset();
  turn->event_topic.reset();
  turn->all_attributes.clear();
  turn->calls.clear();
  if (is_closed_ || spare_turns_.size() >= kMaxSpareTurns) return;
  spare_turns_.push_back(std::move(turn));
}

Result<> AgentHost::fill_turn(Turn& turn, std::size_t connection, const wire::EnvelopeView& envelope,
                              Activation& activation) {
  turn.serial = ++last_serial_;
  turn.connection = connection;
  turn.session = connections_[connection].session;
  turn.delivery = envelope.delivery_id();
  turn.kind = envelope.kind();
  turn.is_traced = envelope.is_traced();
  turn.activation = &activation;
  turn.arrived = now_;
  turn.until = envelope.remaining_ms() == wire::kNoDeadline ? TimePoint::max()
                                                            : now_ + std::chrono::milliseconds(envelope.remaining_ms());
  turn.message.type.assign(envelope.payload_type());
  turn.message.bytes.assign(as_text(envelope.payload()));
  if (const Bytes encoded = envelope.attributes(); !encoded.empty()) {
    const auto attributes = wire::parse_attributes(encoded);
    if (!attributes) return fail(attributes.error());
    for (const auto& [name, value] : *attributes) turn.all_attributes.emplace_back(name, value);
  }
  if (envelope.source().empty()) {
    turn.sender_id = AgentId();
  } else {
    Result<AgentId> sender = AgentId::parse(envelope.source());
    if (!sender) return fail(std::move(sender).error());
    turn.sender_id = std::move(*sender);
  }
  if (turn.kind != wire::Kind::event) return {};
  Result<Topic> topic = Topic::parse(envelope.target());
  if (!topic) return fail(std::move(topic).error());
  turn.event_topic = std::move(*topic);
  return {};
}

void AgentHost::on_cancel(std::size_t connection, DeliveryId delivery) {
  const auto found = deliveries_.find(delivery.value());
  if (found == deliveries_.end() || found->second->connection != connection) return;
  cancel_turn(*found->second, Error(ErrorCode::cancelled, "the caller no longer waits for the reply"));
}

/// The turn may be over when this returns: what it awaits ends at once.
void AgentHost::cancel_turn(Turn& turn, const Error& why) {
  if (turn.cancelled) return;
  turn.cancelled = why;
  const std::vector<CallKey> calls = std::exchange(turn.calls, {});
  std::vector<Turn::Sleep> sleeps = std::exchange(turn.sleeps, {});
  for (const CallKey& key : calls) cancel_call(key, why);
  for (Turn::Sleep& sleep : sleeps) {
    timers_.cancel(sleep.timer);
    sleep.resume(fail(why));
  }
}

// --- Running ---------------------------------------------------------------------------------------------------------

void AgentHost::begin_running(Turn& turn) {
  turn.position = running_turns_.size();
  running_turns_.push_back(&turn);
  turn.started = now_;
  turn.has_model_failed = false;
  resume_turn(turn);
}

void AgentHost::leave_mailbox(const Turn& turn) { turn.activation->body.type->waiting--; }

void AgentHost::start_turn(TurnPtr turn) {
  begin_running(*turn);
  if (parked_runners_.empty()) {
    asio::co_spawn(io_, run_turns(shared_from_this(), std::move(turn)), asio::detached);
    return;
  }
  Resume<TurnPtr> runner = std::move(parked_runners_.back());
  parked_runners_.pop_back();
  runner(std::move(turn));
}

void AgentHost::start_ready_turns() {
  if (is_closed_) return;
  while (auto next = scheduler_.take_ready()) {
    leave_mailbox(*next->message);
    start_turn(std::move(next->message));
  }
}

/// A coroutine that runs one turn after the other, and waits for the next in between.
Task<> AgentHost::run_turns(std::shared_ptr<AgentHost> self, TurnPtr turn) {
  for (;;) {
    while (turn) {
      Result<Payload> outcome;
      try {
        Hosted& hosted = turn->activation->body;
        Result<> ready;
        const bool is_late = turn->until <= self->now_;
        // A one-way message has to start in time; nobody waits for its end.
        if (!turn->is_request()) turn->until = TimePoint::max();
        if (turn->cancelled) {
          ready = fail(*turn->cancelled);
        } else if (is_late) {
          ready = fail(ErrorCode::timeout, "the message waited for its turn until its deadline had passed");
        } else if (!hosted.agent) {
          ready = co_await self->activate(*turn);
        }
        if (ready) {
          outcome = co_await hosted.agent->handle(turn->message, *turn);
        } else {
          outcome = fail(std::move(ready).error());
        }
      } catch (const std::exception& failure) {
        outcome = fail(failed_by(*turn, failure.what()));
      } catch (...) {
        outcome = fail(failed_by(*turn, "it threw something that is not a std::exception"));
      }
      turn = self->end_turn(std::move(turn), std::move(outcome));
    }
    if (self->state_ == State::stopped || self->parked_runners_.size() >= kMaxParkedRunners) co_return;
    turn = co_await suspend<TurnPtr>([&self](Resume<TurnPtr> resume, asio::cancellation_slot) {
      self->parked_runners_.push_back(std::move(resume));
    });
    if (!turn) co_return;
  }
}

/// Makes the agent, gives it its saved state and lets it prepare.
Task<Result<>> AgentHost::activate(Turn& turn) {
  Hosted& hosted = turn.activation->body;
  AgentType& type = *hosted.type;
  const std::string& id = turn.activation->id;
  const auto failed = [&id](std::string_view what) {
    return Error(ErrorCode::activation_failed, "agent '" + id + "' could not be activated: " + std::string(what));
  };
  std::optional<Error> error;
  hosted.is_activating = true;
  try {
    if (type.factory) {
      hosted.agent = type.factory(hosted.id);
      if (!hosted.agent) error = failed("its factory returned nothing");
    } else if (const auto instance = type.instances.find(hosted.id.key()); instance != type.instances.end()) {
      hosted.agent = instance->second;
    } else {
      error = Error(ErrorCode::undeliverable, "'" + id + "' is not among the ready instances of '" + type.name + "'");
    }
    const std::string* const saved = saved_states_.find(id);
    if (!error && saved != nullptr) {
      if (const Result<> loaded = hosted.agent->load_state(*saved); !loaded) error = failed(loaded.error().message);
    }
    if (!error) {
      if (const Result<> prepared = co_await hosted.agent->on_activate(turn); !prepared) {
        error = failed(prepared.error().message);
      }
    }
  } catch (const std::exception& failure) {
    error = failed(failure.what());
  } catch (...) {
    error = failed("something was thrown that is not a std::exception");
  }
  hosted.is_activating = false;
  if (error) {
    hosted.agent.reset();  // The next message tries again.
    co_return fail(std::move(*error));
  }
  saved_states_.erase(id);
  co_return Result<>{};
}

/// Reports the outcome; returns the next turn of the same activation.
AgentHost::TurnPtr AgentHost::end_turn(TurnPtr turn, Result<Payload> outcome) {
  if (turn->has_ended != nullptr) *std::exchange(turn->has_ended, nullptr) = true;
  if (is_closed_) return nullptr;
  now_ = clock_.now();
  refresh_lease();
  if (was_cut_by_deadline(*turn, outcome)) {
    outcome = fail(ErrorCode::timeout, "the deadline passed while agent '" + turn->activation->id + "' was at work");
  }
  if (outcome && turn->is_request() && !interceptors_.empty()) {
    if (const Result<> passed = intercept_response(*turn, *outcome); !passed) outcome = fail(passed.error());
  }
  if (!turn->is_answered) {
    answer(*turn, outcome);
    count_outcome(*turn, outcome ? std::nullopt : std::optional(outcome.error().code));
  }
  // Coroutines that the handler left behind may still wait; what they wait for no longer belongs to a turn.
  for (const CallKey& key : turn->calls) {
    if (Call* const call = connections_[key.connection].calls.find(key.id)) call->turn = nullptr;
  }
  for (Turn::Sleep& sleep : turn->sleeps) {
    timers_.cancel(sleep.timer);
    asio::post(io_, [resume = std::move(sleep.resume)]() mutable {
      resume(fail(ErrorCode::cancelled, "the turn that this coroutine belonged to is over"));
    });
  }
  turn->sleeps.clear();
  running_turns_[turn->position] = running_turns_.back();
  running_turns_[turn->position]->position = turn->position;
  running_turns_.pop_back();

  Activation& activation = *turn->activation;
  const bool was_gone = activation.phase == Scheduler::Phase::gone;
  recycle(std::move(turn));
  std::optional<TurnPtr> next = scheduler_.finish(activation, now_);
  if (next) {
    leave_mailbox(**next);
    begin_running(**next);
    return std::move(*next);
  }
  if (!was_gone) {
    if (state_ == State::stopping && activation.is_idle()) ask_passivation(activation);
    leave_if_possible(activation);
  }
  request_flush();
  return nullptr;
}

/// A handler hears `cancelled` when its time is up. Unless somebody did cancel, its caller is owed `timeout`.
bool AgentHost::was_cut_by_deadline(const Turn& turn, const Result<Payload>& outcome) const {
  return !outcome && outcome.error().code == ErrorCode::cancelled && !turn.cancelled && turn.is_request() &&
         turn.until <= now_;
}

Result<> AgentHost::intercept_response(Turn& turn, Payload& reply) {
  Intercepted message{turn.self(), turn.sender_id.is_empty() ? std::string() : turn.sender_id.str(), std::move(reply),
                      turn.all_attributes};
  const auto chain = interceptors_;  // One may add another.
  for (const std::shared_ptr<Interceptor>& interceptor : chain) {
    Verdict verdict;
    try {
      verdict = interceptor->on_response(message);
    } catch (const std::exception& failure) {
      verdict = Verdict::refuse({ErrorCode::refused, std::string("an interceptor failed: ") + failure.what()});
    }
    if (verdict.action == Verdict::Action::pass) continue;
    return fail(verdict.error.value_or(
        Error(ErrorCode::refused, "an interceptor dropped the reply of '" + turn.activation->id + "'")));
  }
  reply = std::move(message.payload);
  return {};
}

void AgentHost::answer(Turn& turn, const Result<Payload>& outcome) {
  Connection& connection = connections_[turn.connection];
  if (turn.session != connection.session || connection.session.is_zero()) {
    counters_.stale_replies++;
    return;
  }
  if (!outcome) return answer_error(turn, outcome.error());
  if (!turn.is_request()) {
    return report_done(turn.connection, turn.delivery);
  }
  if (outcome->bytes.size() > connection.max_payload_bytes) {
    return answer_error(turn,
                        {ErrorCode::too_large, "the reply of '" + turn.activation->id + "' has " +
                                                   std::to_string(outcome->bytes.size()) + " bytes; the limit is " +
                                                   std::to_string(connection.max_payload_bytes)});
  }
  wire::EnvelopeFields fields = answer_fields(wire::Kind::reply, turn);
  fields.payload_type = outcome->type;
  fields.payload = as_bytes(outcome->bytes);
  const Result<> written = wire::append_envelope(connection.out, fields);
  if (!written) answer_error(turn, written.error());
}

/// An answer to a turn's message so far; the answer to a traced message is traced as well.
wire::EnvelopeFields AgentHost::answer_fields(wire::Kind kind, const Turn& turn) {
  wire::EnvelopeFields fields{.kind = kind, .delivery_id = turn.delivery.value()};
  if (!turn.is_traced) [[likely]]
    return fields;
  scratch_.clear();
  const Result<> added =
      wire::append_attribute(scratch_, wire::attribute::kTraceparent, turn.attribute(wire::attribute::kTraceparent));
  if (!added) return fields;
  fields.flags = wire::kFlagTraced;
  fields.attributes = scratch_.bytes();
  return fields;
}

void AgentHost::report_done(std::size_t connection, DeliveryId delivery) {
  wire::store(connections_[connection].done.grow(sizeof(std::uint64_t)), delivery.value());
  request_flush();
}

void AgentHost::answer_error(const Turn& turn, const Error& error) {
  answer_error(turn.connection, answer_fields(wire::Kind::error, turn), error);
}

void AgentHost::answer_error(std::size_t connection, DeliveryId delivery, const Error& error) {
  answer_error(connection, {.kind = wire::Kind::error, .delivery_id = delivery.value()}, error);
}

void AgentHost::answer_error(std::size_t connection, wire::EnvelopeFields fields, const Error& error) {
  fields.code = error.code;
  fields.payload_type = kErrorType;
  fields.payload = as_bytes(std::string_view(error.message).substr(0, kMaxErrorText));
  (void)wire::append_envelope(connections_[connection].out, fields);
  request_flush();
}

/// The message never ran.
void AgentHost::refuse(TurnPtr turn, const Error& error) {
  answer(*turn, fail(error));
  count_outcome(*turn, error.code);
  recycle(std::move(turn));
}

void AgentHost::count_outcome(Turn& turn, std::optional<ErrorCode> code) {
  AgentType& type = *turn.activation->body.type;
  (turn.is_request() ? type.requests : type.one_way)++;
  const std::size_t number = code ? static_cast<std::size_t>(*code) : 0;
  type.outcomes[std::min(number, type.outcomes.size() - 1)]++;
  record_turn(turn, code);
  if (observer_) observer_(type.name, code ? to_string(*code) : "ok", now_ - turn.arrived);
}

// --- Context ---------------------------------------------------------------------------------------------------------

std::string_view Turn::attribute(std::string_view name) const {
  const auto found =
      std::ranges::find(all_attributes, name, [](const auto& entry) -> std::string_view { return entry.first; });
  return found == all_attributes.end() ? std::string_view() : found->second;
}

std::optional<TimePoint> Turn::deadline() const {
  return until == TimePoint::max() ? std::nullopt : std::optional(until);
}

Task<Result<>> Turn::part(Payload piece) {
  if (!is_request()) co_return fail(ErrorCode::invalid, "a part needs somebody who waits for a reply");
  if (cancelled) co_return fail(*cancelled);
  if (until <= host_.now()) co_return fail(ErrorCode::cancelled, "the caller's deadline has passed");
  AgentHost::Connection& link = host_.connections_[connection];
  if (session != link.session || link.session.is_zero()) {
    co_return fail(ErrorCode::cancelled, "the session with the broker ended, and the caller's wait with it");
  }
  if (piece.bytes.size() > link.max_payload_bytes) {
    co_return fail(ErrorCode::too_large,
                   "a part of " + std::to_string(piece.bytes.size()) + " bytes exceeds the limit");
  }
  host_.resume_turn(*this);
  wire::EnvelopeFields fields = host_.answer_fields(wire::Kind::part, *this);
  fields.payload_type = piece.type;
  fields.payload = as_bytes(piece.bytes);
  Result<> written = wire::append_envelope(link.out, fields);
  host_.request_flush();
  co_return written;
}

Task<Result<>> Turn::sleep(std::chrono::milliseconds duration) {
  if (cancelled) co_return fail(*cancelled);
  host_.resume_turn(*this);
  const TimePoint wake_at = host_.now() + duration;
  co_return co_await suspend<Result<>>([this, wake_at](Resume<Result<>> resume, asio::cancellation_slot slot) {
    const std::uint64_t id = ++host_.last_serial_;
    const bool is_cut = until < wake_at;
    const TimerId timer = host_.timers_.add(std::min(wake_at, until), [this, id, is_cut] {
      end_sleep(id, is_cut ? Result<>(fail(ErrorCode::cancelled, "the caller's deadline has passed")) : Result<>());
    });
    sleeps.push_back({id, timer, std::move(resume)});
    host_.request_flush();
    if (!slot.is_connected()) return;
    slot.assign([this, id, weak = host_.weak_from_this(), number = serial](asio::cancellation_type) {
      const auto host = weak.lock();
      if (!host) return;
      asio::post(host->io_, [this, id, host, number] {
        if (serial == number) end_sleep(id, fail(ErrorCode::cancelled, "the wait was cancelled"));
      });
    });
  });
}

void Turn::end_sleep(std::uint64_t id, Result<> outcome) {
  const auto found = std::ranges::find(sleeps, id, &Sleep::id);
  if (found == sleeps.end()) return;
  host_.timers_.cancel(found->timer);
  Resume<Result<>> resume = std::move(found->resume);
  sleeps.erase(found);
  host_.resume_turn(*this);
  resume(std::move(outcome));
}

void Turn::report_progress() { host_.resume_turn(*this); }
void Turn::report_model_success() { host_.record_model_call(*this, TurnFault::none); }
void Turn::report_model_failure() { host_.record_model_call(*this, TurnFault::model); }

// --- Activations -----------------------------------------------------------------------------------------------------

void AgentHost::passivate_idle() {
  while (Activation* const activation = scheduler_.take_idle(now_)) {
    write_control(activation->body.connection, wire::Kind::passivate, activation->id, activation->epoch);
  }
}

/// More activations than the runtime may have: the ones used longest ago make room.
void AgentHost::passivate_surplus() {
  while (Activation* const activation = scheduler_.take_surplus(limits_.max_activations)) {
    counters_.surplus_passivations++;
    write_control(activation->body.connection, wire::Kind::passivate, activation->id, activation->epoch);
  }
}

void AgentHost::keep_state(const std::string& id, std::string state) {
  saved_states_.put(id, std::move(state));
  if (saved_states_.dropped() == counters_.dropped_states) return;
  // Once for all that goes on like this.
  if (counters_.dropped_states == 0) {
    spdlog::warn("event=states_dropped kept={} bytes={} reason=\"too many states of agents that were put away\"",
                 saved_states_.size(), saved_states_.bytes());
  }
  counters_.dropped_states = saved_states_.dropped();
}

void AgentHost::ask_passivation(Activation& activation) {
  if (!scheduler_.begin_passivation(activation)) return;
  write_control(activation.body.connection, wire::Kind::passivate, activation.id, activation.epoch);
}

void AgentHost::leave_if_possible(Activation& activation) {
  if (!Scheduler::may_leave(activation)) return;
  scheduler_.occupy(activation);
  asio::co_spawn(io_, deactivate(shared_from_this(), &activation), asio::detached);
}

/// Keeps the state, says farewell to the agent, tells the broker. The activation is occupied meanwhile.
Task<> AgentHost::deactivate(std::shared_ptr<AgentHost> self, Activation* activation) {
  const std::string id = activation->id;
  Hosted& hosted = activation->body;
  if (hosted.agent) {
    try {
      const bool is_kept = hosted.type->factory && hosted.type->is_registered;
      if (Result<std::string> state = is_kept ? hosted.agent->save_state() : std::string(); !state) {
        spdlog::warn("event=state_lost agent={} reason=\"{}\"", id, state.error().message);
      } else if (!state->empty()) {
        self->keep_state(id, std::move(*state));
      }
      co_await hosted.agent->on_deactivate();
    } catch (const std::exception& failure) {
      spdlog::warn("event=deactivation_failed agent={} reason=\"{}\"", id, failure.what());
    }
  }
  if (self->is_closed_) co_return;
  self->write_control(hosted.connection, wire::Kind::deactivated, id, activation->epoch);
  self->forget_failing(*activation);
  self->scheduler_.remove(*activation);
  (void)self->scheduler_.finish(*activation, self->now());
  self->request_flush();
}

void AgentHost::evict(Activation& activation) {
  const Error lost(ErrorCode::worker_lost, "'" + activation.id + "' was taken from this worker");
  const std::string id = activation.id;
  const std::size_t connection = activation.body.connection;
  const Epoch epoch = activation.epoch;
  std::vector<std::pair<Turn*, std::uint64_t>> running;
  for (Turn* const turn : running_turns_) {
    if (turn->activation == &activation) running.emplace_back(turn, turn->serial);
  }
  forget_failing(activation);
  for (TurnPtr& waiting : scheduler_.remove(activation)) {
    leave_mailbox(*waiting);
    refuse(std::move(waiting), lost);
  }
  for (const auto& [turn, serial] : running) {
    const bool is_running = std::ranges::find(running_turns_, turn) != running_turns_.end() && turn->serial == serial;
    if (is_running) cancel_turn(*turn, lost);
  }
  write_control(connection, wire::Kind::deactivated, id, epoch);
}

}  // namespace parley
