#include "libmsg/runtime/reply_stream.hpp"

namespace parley {
namespace {

/// What a consumer may leave lying; a faster producer has its stream ended with `overloaded`.
constexpr std::size_t kMaxWaitingParts = 16'384;
constexpr std::size_t kMaxWaitingPartBytes = std::size_t{16} * 1024 * 1024;

}  // namespace

bool PartQueue::push(Payload part) {
  if (waiting_) {
    std::exchange(waiting_, nullptr)(std::optional<Payload>(std::move(part)));
    return true;
  }
  part_bytes_ += part.type.size() + part.bytes.size();
  if (parts_.size() >= kMaxWaitingParts || part_bytes_ > kMaxWaitingPartBytes) return false;
  parts_.push_back(std::move(part));
  return true;
}

void PartQueue::finish(Result<Payload> outcome) {
  outcome_ = std::move(outcome);
  if (!waiting_) return;
  std::optional<Step> step = take_step();
  std::exchange(waiting_, nullptr)(std::move(*step));
}

std::optional<PartQueue::Step> PartQueue::take_step() {
  if (!parts_.empty()) {
    Payload part = std::move(parts_.front());
    parts_.pop_front();
    part_bytes_ -= part.type.size() + part.bytes.size();
    return Step(std::move(part));
  }
  if (!outcome_) return std::nullopt;
  if (!*outcome_) return Step(fail(outcome_->error()));
  reply_ = **outcome_;
  return Step(std::nullopt);
}

Task<Result<std::optional<Payload>>> PartQueue::next() {
  if (std::optional<Step> step = take_step()) co_return std::move(*step);
  if (waiting_) co_return fail(ErrorCode::invalid, "somebody waits for this stream already");
  co_return co_await suspend<Step>([this](Resume<Step> resume, asio::cancellation_slot slot) {
    waiting_ = std::move(resume);
    if (!slot.is_connected()) return;
    slot.assign([this](asio::cancellation_type) { abandon(); });
  });
}

void PartQueue::abandon() {
  if (outcome_) return;
  if (const std::shared_ptr<AgentHost> host = host_.lock()) host->cancel_call_soon(key_);
}

ReplyStream::ReplyStream(std::unique_ptr<Source> source) : source_(std::move(source)) {}
ReplyStream::ReplyStream(ReplyStream&&) noexcept = default;
ReplyStream& ReplyStream::operator=(ReplyStream&&) noexcept = default;
ReplyStream::~ReplyStream() = default;

Task<Result<std::optional<Payload>>> ReplyStream::next() { return source_->queue->next(); }
const Payload& ReplyStream::reply() const { return source_->queue->reply(); }

}  // namespace parley
