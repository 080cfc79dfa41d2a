#include "broker/core/inquiries.hpp"

#include <utility>

#include "broker/core/id_text.hpp"

namespace parley::broker {
namespace {

/// A worker that says nothing may be stuck, and its heartbeats tell in which handler.
Error late(const Session& worker) {
  std::string text = "worker " + in_quotes(worker.name) + " did not answer in time";
  const std::uint64_t lag_s = worker.vitals ? worker.vitals->loop_lag_ms / 1000 : 0;
  if (lag_s > 0) text += ": its loop has been busy for " + std::to_string(lag_s) + " s";
  if (lag_s > 0 && !worker.vitals->executing.empty()) text += " with " + in_quotes(worker.vitals->executing.front());
  return {ErrorCode::timeout, std::move(text)};
}

}  // namespace

using wire::Kind;

Result<> Inquiries::ask(const Session& asker, std::uint64_t message_id, std::string_view agent_id) {
  const std::string id = whole_id(agent_id);
  const std::uint32_t slot = state_.directory.find(id);
  const bool lives_somewhere = slot != kNil && state_.directory[slot].worker != kNil;
  if (!lives_somewhere) return fail(ErrorCode::invalid, in_quotes(id) + " lives nowhere now");
  Session& worker = state_.sessions[state_.directory[slot].worker];
  if (worker.vitals && !worker.vitals->can_be_inspected) {
    return fail(ErrorCode::no_handler, "worker " + in_quotes(worker.name) + " is of a version that does not tell");
  }
  const bool has_room = outbox_.fits(worker, wire::kEnvelopeHeaderBytes + id.size());
  if (inquiries_.size() >= kMaxUnderWay || !has_room) {
    return fail(ErrorCode::overloaded, "too many such questions are under way");
  }
  inquiries_.emplace(++last_id_, Inquiry{.asker = {.slot = asker.slot, .token = asker.token},
                                         .message_id = message_id,
                                         .worker = {.slot = worker.slot, .token = worker.token},
                                         .worker_name = worker.name,
                                         .deadline = state_.now + kTimeout});
  outbox_.data(worker, {.kind = Kind::inspect, .message_id = last_id_, .target = id});
  return {};
}

void Inquiries::on_answer(const Session& worker, const wire::EnvelopeView& envelope) {
  const auto asked = inquiries_.find(envelope.message_id().value());
  if (asked == inquiries_.end() || asked->second.worker.token != worker.token) {
    state_.counters.stale_replies++;
    return;
  }
  const Inquiry inquiry = std::move(asked->second);
  inquiries_.erase(asked);
  if (envelope.payload().empty()) {
    return end(inquiry, fail(ErrorCode::undeliverable,
                             "worker " + in_quotes(inquiry.worker_name) + " does not have the agent any more"));
  }
  if (envelope.payload().size() > wire::kMaxControlBodyBytes) {
    return end(inquiry, fail(ErrorCode::too_large, "what the worker told is too large"));
  }
  end(inquiry, wire::decode_body<wire::ActivationVitals>(envelope.payload()));
}

void Inquiries::expire() {
  for (auto next = inquiries_.begin(); next != inquiries_.end();) {
    const Session* const worker = find(next->second.worker);
    if (worker != nullptr && state_.now < next->second.deadline) {
      ++next;
      continue;
    }
    const Inquiry inquiry = std::move(next->second);
    next = inquiries_.erase(next);
    const std::string name = in_quotes(inquiry.worker_name);
    end(inquiry,
        fail(worker != nullptr ? late(*worker) : Error(ErrorCode::worker_lost, "worker " + name + " is gone")));
  }
}

TimePoint Inquiries::next_wakeup() const {
  return inquiries_.empty() ? TimePoint::max() : inquiries_.begin()->second.deadline;
}

Session* Inquiries::find(const Peer& peer) const {
  const auto& sessions = state_.sessions.all();
  Session* const session = peer.slot < sessions.size() ? sessions[peer.slot].get() : nullptr;
  return session != nullptr && session->token == peer.token ? session : nullptr;
}

void Inquiries::end(const Inquiry& inquiry, const Result<wire::ActivationVitals>& outcome) {
  Session* const asker = find(inquiry.asker);
  if (asker == nullptr) return;
  if (!outcome) return outbox_.error(*asker, inquiry.message_id, outcome.error());
  const wire::ActivationReport report{.worker = inquiry.worker_name, .vitals = *outcome};
  outbox_.reply(*asker, inquiry.message_id, "parley.ActivationReport", wire::encode_body(report).bytes());
}

}  // namespace parley::broker
