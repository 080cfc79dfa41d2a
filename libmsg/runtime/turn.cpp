// A turn as the context of its handler.
#include "libmsg/runtime/turn.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {

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
  host_.resume_turn(*this);
  if (!host_.interceptors_.empty()) {
    const Result<> passed = host_.intercept_response(*this, piece);
    if (!passed) {
      host_.cut_short(*this, passed.error());
      co_return fail(passed.error());
    }
  }
  if (piece.bytes.size() > link.max_payload_bytes) {
    co_return fail(ErrorCode::too_large,
                   "a part of " + std::to_string(piece.bytes.size()) + " bytes exceeds the limit");
  }
  wire::EnvelopeFields fields = host_.answer_fields(wire::Kind::part, *this);
  fields.payload_type = piece.type;
  fields.payload = as_bytes(piece.bytes);
  Result<> written = wire::append_envelope(link.out, fields);
  host_.wrote(connection);
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

}  // namespace parley
