// Turns: from a delivery to the end of its handler.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <exception>
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
  Entry entry = !chain.empty() && is_in_chain(chain, activation->id) ? Entry::own_chain : Entry::ordinary;
  if (is_interleaved(*activation, turn->message.type)) entry = Entry::beside;
  Turn* const queued = turn.get();
  std::optional<TurnPtr> started;
  refresh_lease();  // The session may have ended behind this batch's back.
  const Admission admission = entry == Entry::own_chain && activation->body.is_activating
                                  ? Admission::deadlock
                                  : scheduler_.admit(*activation, turn, entry, now_, started);
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

/// An agent that is being made takes nothing beside that.
bool AgentHost::is_interleaved(const Activation& activation, std::string_view payload_type) {
  const std::vector<std::string>& types = activation.body.type->options.interleaved;
  if (types.empty()) [[likely]]
    return false;
  return activation.body.agent != nullptr && !activation.body.is_activating &&
         std::ranges::find(types, payload_type) != types.end();
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
  turn->span.reset();
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
  begin_turn_span(turn);
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

/// Reports the outcome; returns the next turn of the same activation.
AgentHost::TurnPtr AgentHost::end_turn(TurnPtr turn, Result<Payload> outcome) {
  if (turn->has_ended != nullptr) *std::exchange(turn->has_ended, nullptr) = true;
  if (is_closed_) return nullptr;
  now_ = clock_.now();
  refresh_lease();
  if (was_cut_by_deadline(*turn, outcome)) {
    outcome = fail(ErrorCode::timeout, "the deadline passed while agent '" + turn->activation->id + "' was at work");
  }
  if (outcome && turn->is_request() && !turn->is_answered && !interceptors_.empty()) {
    if (const Result<> passed = intercept_response(*turn, *outcome); !passed) outcome = fail(passed.error());
  }
  if (!turn->is_answered) {
    answer(*turn, outcome);
    count_outcome(*turn, outcome ? std::nullopt : std::optional(outcome.error().code));
  }
  end_turn_span(*turn, outcome);
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
  if (!was_gone) settle_idle(activation);
  request_flush();
  return nullptr;
}

/// A handler hears `cancelled` when its time is up. Unless somebody did cancel, its caller is owed `timeout`.
bool AgentHost::was_cut_by_deadline(const Turn& turn, const Result<Payload>& outcome) const {
  return !outcome && outcome.error().code == ErrorCode::cancelled && !turn.cancelled && turn.is_request() &&
         turn.until <= now_;
}

}  // namespace parley
