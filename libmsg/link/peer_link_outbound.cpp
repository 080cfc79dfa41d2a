// The way out: envelopes that the host submits, how they wait and age, and the frames that they leave in.
#include <algorithm>
#include <cstring>
#include <utility>

#include "libmsg/link/peer_link.hpp"
#include "libmsg/link/raw_envelope.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::link {
namespace {

using wire::Kind;

/// Batches written within this time share a frame; remaining_ms has the same grain.
constexpr Duration kTimeGrain = std::chrono::milliseconds(1);

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
