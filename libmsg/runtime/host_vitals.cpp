// What the host knows about the health of its agents: outcomes, progress, latencies, and their way to the VitalsBoard.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {
namespace {

std::uint64_t to_ms(Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration / std::chrono::milliseconds(1), 0));
}

}  // namespace

// --- Recording -------------------------------------------------------------------------------------------------------

void AgentHost::resume_turn(Turn& turn) {
  turn.progressed = now();
  if (turn.activation != nullptr) vitals_->set_running(turn.activation->id);
}

void AgentHost::record_turn(Turn& turn, std::optional<ErrorCode> code) {
  Activation& activation = *turn.activation;
  const TurnFault fault = fault_of(code, turn.has_model_failed);
  TypeRecord& of_type = activation.body.type->record;
  ActivationRecord& own = activation.body.record;
  const bool was_failing = own.tally.is_failing();
  of_type.tally.add_turn(fault, turn.has_model_failed, now_);
  own.tally.add_turn(fault, turn.has_model_failed, now_);
  of_type.latency.record(now_ - turn.arrived, now_);
  own.latency.record(now_ - turn.arrived);
  if (was_failing == own.tally.is_failing()) [[likely]]
    return;
  if (was_failing) {
    forget_failing(activation);
  } else if (activation.phase != Scheduler::Phase::gone) {
    failing_.push_back(&activation);
  }
}

void AgentHost::record_model_call(Turn& turn, TurnFault fault) {
  turn.progressed = now();
  if (turn.activation == nullptr) return;
  Hosted& hosted = turn.activation->body;
  for (TurnTally* tally : {&hosted.type->record.tally, &hosted.record.tally}) {
    if (fault == TurnFault::none) {
      tally->add_model_success();
    } else {
      tally->add_model_failure();
    }
  }
  turn.has_model_failed = fault != TurnFault::none;
}

void AgentHost::forget_failing(const Activation& activation) { std::erase(failing_, &activation); }

void AgentHost::report_spend(std::string_view agent_type, const Spend& spend) {
  if (AgentType* const type = find_type(agent_type)) type->record.spend += spend;
}

// --- Telling ---------------------------------------------------------------------------------------------------------

/// A turn that waits for an answer is not the one that hangs: whoever owes the answer is, and the wait has a deadline.
Duration AgentHost::without_progress(const Turn& turn, TimePoint now) const {
  return turn.calls.empty() ? std::max(now - turn.progressed, Duration::zero()) : Duration::zero();
}

std::uint64_t AgentHost::wall_ms(std::optional<TimePoint> at, TimePoint now) const {
  if (!at) return 0;
  const auto wall =
      clock_.wall_now().time_since_epoch() - std::chrono::duration_cast<std::chrono::milliseconds>(now - *at);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(wall.count(), 0));
}

/// A mailbox is in order of arrival.
Duration AgentHost::oldest_waiting(const Activation& activation, TimePoint now) {
  if (activation.mailbox.empty()) return Duration::zero();
  return std::max(now - activation.mailbox.front()->arrived, Duration::zero());
}

void AgentHost::post_vitals() {
  const TimePoint now = clock_.now();
  vitals_->post(compose_vitals(now), now);
}

wire::WorkerVitals AgentHost::compose_vitals(TimePoint now) {
  wire::WorkerVitals vitals;
  vitals.can_be_inspected = true;
  add_types(vitals, now);
  add_activations(vitals, now);
  std::vector<const Turn*> longest(std::min(running_turns_.size(), wire::kMaxVitalsExecuting));
  std::ranges::partial_sort_copy(running_turns_, longest, {}, &Turn::started, &Turn::started);
  for (const Turn* const turn : longest) {
    const std::string& id = turn->activation->id;
    if (std::ranges::find(vitals.executing, id) == vitals.executing.end()) vitals.executing.push_back(id);
  }
  return vitals;
}

void AgentHost::add_types(wire::WorkerVitals& vitals, TimePoint now) {
  struct Running {
    std::uint32_t count = 0;
    Duration without_progress{};
    Duration oldest_waiting{};
  };
  std::unordered_map<const AgentType*, Running> running;
  const auto look_at_mailbox = [&running, now](const Activation& activation) {
    Duration& oldest = running[activation.body.type].oldest_waiting;
    oldest = std::max(oldest, oldest_waiting(activation, now));
  };
  for (const Turn* const turn : running_turns_) {
    Running& of_type = running[turn->activation->body.type];
    of_type.count++;
    of_type.without_progress = std::max(of_type.without_progress, without_progress(*turn, now));
    look_at_mailbox(*turn->activation);  // Messages wait behind a turn, or else for the lease.
  }
  scheduler_.for_each_ready(look_at_mailbox);
  for (const auto& type : types_) {
    if (vitals.types.size() >= wire::kMaxVitalsTypes) break;
    if (!type->is_registered) continue;
    const TurnTally& tally = type->record.tally;
    const LatencySummary latency = type->record.latency.summary(now);
    const Running& turns = running[type.get()];
    vitals.types.push_back({.name = type->name,
                            .successes = tally.successes,
                            .failures = tally.failures,
                            .model_failures = tally.model_failures,
                            .consecutive_failures = tally.consecutive_failures,
                            .consecutive_model_failures = tally.consecutive_model_failures,
                            .inflight = turns.count,
                            .waiting = type->waiting,
                            .oldest_without_progress_ms = to_ms(turns.without_progress),
                            .progress_limit_ms = to_ms(type->options.progress_timeout),
                            .last_activity_ms = wall_ms(tally.last_activity, now),
                            .latency_avg_us = latency.avg_us,
                            .latency_p50_us = latency.p50_us,
                            .latency_p95_us = latency.p95_us,
                            .input_tokens = type->record.spend.input_tokens,
                            .output_tokens = type->record.spend.output_tokens,
                            .cost_nano_usd = type->record.spend.cost_nano_usd,
                            .oldest_waiting_ms = to_ms(turns.oldest_waiting)});
  }
}

/// Those that fail, worst first, then those that have been at work for the longest.
void AgentHost::add_activations(wire::WorkerVitals& vitals, TimePoint now) const {
  std::vector<std::pair<const Activation*, Duration>> listed;
  listed.reserve(failing_.size() + running_turns_.size());
  for (const Activation* const activation : failing_) listed.emplace_back(activation, Duration::zero());
  for (const Turn* const turn : running_turns_) listed.emplace_back(turn->activation, without_progress(*turn, now));
  const auto badness = [](const auto& row) {
    const TurnTally& tally = row.first->body.record.tally;
    return std::pair(tally.consecutive_failures + tally.consecutive_model_failures, row.second);
  };
  const auto kept = std::min(listed.size(), 2 * wire::kMaxVitalsActivations);
  std::ranges::partial_sort(listed, listed.begin() + static_cast<std::ptrdiff_t>(kept), std::ranges::greater(),
                            badness);
  for (std::size_t i = 0; i < kept && vitals.activations.size() < wire::kMaxVitalsActivations; ++i) {
    const auto& [activation, idle] = listed[i];
    if (std::ranges::find(vitals.activations, activation->id, &wire::ActivationVitals::id) != vitals.activations.end())
      continue;
    wire::ActivationVitals& row = vitals.activations.emplace_back(vitals_of(*activation, now));
    row.without_progress_ms = to_ms(idle);
  }
}

/// Without `without_progress_ms`, which its turns know.
wire::ActivationVitals AgentHost::vitals_of(const Activation& activation, TimePoint now) const {
  const ActivationRecord& record = activation.body.record;
  return {.id = activation.id,
          .successes = record.tally.successes,
          .failures = record.tally.failures,
          .consecutive_failures = record.tally.consecutive_failures,
          .consecutive_model_failures = record.tally.consecutive_model_failures,
          .waiting = static_cast<std::uint32_t>(activation.mailbox.size()),
          .last_activity_ms = wall_ms(record.tally.last_activity, now),
          .latency_avg_us = record.latency.avg_us(),
          .latency_p95_us = record.latency.p95_us(),
          .model_failures = record.tally.model_failures,
          .inflight = activation.running,
          .oldest_waiting_ms = to_ms(oldest_waiting(activation, now))};
}

/// Somebody asks how one activation is. Nothing waits for a turn here, so that a busy one can be asked, too.
void AgentHost::on_inspect(std::size_t connection, const wire::EnvelopeView& envelope) {
  ByteBuffer body;  // Stays empty when the activation has left.
  if (const Activation* const activation = scheduler_.find(envelope.target())) {
    const TimePoint now = clock_.now();
    wire::ActivationVitals vitals = vitals_of(*activation, now);
    for (const Turn* const turn : running_turns_) {
      if (turn->activation != activation) continue;
      vitals.without_progress_ms = std::max(vitals.without_progress_ms, to_ms(without_progress(*turn, now)));
    }
    body = wire::encode_body(vitals);
  }
  // Cannot fail: the target came in an envelope of the same limits, and the body is small.
  (void)wire::append_envelope(connections_[connection].out, {.kind = wire::Kind::inspect,
                                                             .message_id = envelope.message_id().value(),
                                                             .target = envelope.target(),
                                                             .payload = body.bytes()});
  request_flush();
}

}  // namespace parley
