#include "agents/telemetry/otlp_exporter.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "agents/http/http_transfer.hpp"
#include "agents/telemetry/otlp_answer.hpp"

namespace parley::telemetry {
namespace {

/// An answer to an export is a few bytes.
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds kConnectTimeout{3'000};
/// The wall clock tells milliseconds. As long as it agrees with the anchor this well, spans keep the anchor, so that
/// they lie in each other as they did.
constexpr std::chrono::milliseconds kTolerance{20};

bool is_loopback(const std::string& url) {
  return url.starts_with("http://127.") || url.starts_with("http://localhost") || url.starts_with("http://[::1]");
}

}  // namespace

struct OtlpExporter::Impl {
  asio::io_context& io;
  const Clock& clock;
  Random& random;
  std::shared_ptr<http::CurlMulti> curl;  ///< shared with the models of the worker
  OtlpOptions options;
  SpanBuffer buffer;
  asio::steady_timer wake;
  WallAnchor anchor{};
  bool is_stopping = false;
  bool is_over = false;
  bool was_failing = false;

  static Task<> run(std::shared_ptr<Impl> self);
  Task<> send_batch();
  Task<Result<OtlpAnswer>> post(std::string body);
  void settle(const Result<OtlpAnswer>& answer);
  void note_state(bool is_failing, const std::string& reason);
  void renew_anchor();
};

/// Sends whenever something is due; add() and stop() wake it.
Task<> OtlpExporter::Impl::run(std::shared_ptr<Impl> self) {
  while (!self->is_over) {
    const TimePoint now = self->clock.now();
    const auto due = self->buffer.next_export(now, self->is_stopping);
    if (due && *due <= now) {
      co_await self->send_batch();
      continue;
    }
    if (self->is_stopping && self->buffer.is_empty()) break;
    self->wake.expires_at(due.value_or(TimePoint::max()));
    asio::error_code woken;
    co_await self->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  self->is_over = true;
}

Task<> OtlpExporter::Impl::send_batch() {
  renew_anchor();
  std::string body = to_otlp_json(options.resource, buffer.begin_export(), anchor);
  const Result<OtlpAnswer> answer = co_await post(std::move(body));
  settle(answer);
}

Task<Result<OtlpAnswer>> OtlpExporter::Impl::post(std::string body) {
  http::HttpRequest request;
  request.url = options.url;
  request.headers = options.headers;
  request.headers.emplace_back("Content-Type: application/json");
  request.body = std::move(body);
  request.connect_timeout = std::min(kConnectTimeout, options.timeout);
  request.stall_timeout = options.timeout;
  request.max_response_bytes = kMaxAnswerBytes;
  request.is_loopback = is_loopback(options.url);
  http::HttpTransfer transfer(curl, std::move(request));
  const TimePoint until = clock.now() + options.timeout;
  std::string text;
  for (;;) {
    Result<std::optional<std::string>> piece = co_await transfer.read(until - clock.now());
    if (!piece) co_return fail(std::move(piece).error());
    if (!*piece) break;
    text += **piece;
  }
  co_return read_otlp_answer(transfer.status(), transfer.header("retry-after"), text);
}

void OtlpExporter::Impl::settle(const Result<OtlpAnswer>& answer) {
  if (!answer) {
    buffer.note_failed(clock.now(), random, std::nullopt);
    return note_state(true, answer.error().message);
  }
  switch (answer->kind) {
    case OtlpAnswer::Kind::taken:
      buffer.note_delivered(answer->rejected);
      break;
    case OtlpAnswer::Kind::later:
      buffer.note_failed(clock.now(), random, answer->retry_after);
      break;
    case OtlpAnswer::Kind::refused:
      buffer.note_refused();
      break;
  }
  note_state(answer->kind != OtlpAnswer::Kind::taken || answer->rejected > 0, answer->reason);
}

/// One line when it begins to fail and one when it works again, however long that takes.
void OtlpExporter::Impl::note_state(bool is_failing, const std::string& reason) {
  if (std::exchange(was_failing, is_failing) == is_failing) return;
  if (is_failing) {
    spdlog::warn("event=telemetry_failing url={} reason=\"{}\"", options.url, reason);
  } else {
    spdlog::info("event=telemetry_working url={}", options.url);
  }
}

void OtlpExporter::Impl::renew_anchor() {
  const TimePoint now = clock.now();
  const std::int64_t wall = std::chrono::nanoseconds(clock.wall_now().time_since_epoch()).count();
  const std::int64_t off = wall - anchor.unix_ns_of(now);
  const std::int64_t tolerance = std::chrono::nanoseconds(kTolerance).count();
  if (off > tolerance || off < -tolerance) anchor = {now, wall};
}

std::shared_ptr<OtlpExporter> OtlpExporter::make(asio::io_context& io, const Clock& clock, Random& random,
                                                 std::shared_ptr<http::CurlMulti> curl, OtlpOptions options) {
  const BufferLimits limits = options.limits;
  std::shared_ptr<Impl> impl(new Impl{io, clock, random, std::move(curl), std::move(options), SpanBuffer(limits),
                                      asio::steady_timer(io, TimePoint::max())});
  return std::shared_ptr<OtlpExporter>(new OtlpExporter(std::move(impl)));
}

OtlpExporter::OtlpExporter(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpExporter::~OtlpExporter() {
  impl_->is_over = true;
  impl_->wake.cancel();
}

void OtlpExporter::start() {
  impl_->renew_anchor();
  asio::co_spawn(impl_->io, Impl::run(impl_), asio::detached);
}

Task<> OtlpExporter::stop(std::chrono::milliseconds limit) {
  const auto impl = impl_;
  impl->is_stopping = true;
  impl->wake.cancel();
  // Looks often rather than being told: this happens once in the life of a process.
  constexpr std::chrono::milliseconds kLook{5};
  asio::steady_timer timer(impl->io);
  const TimePoint until = impl->clock.now() + limit;
  while (!impl->is_over && !impl->was_failing && impl->clock.now() < until) {
    timer.expires_after(kLook);
    asio::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  impl->is_over = true;
  impl->wake.cancel();
  impl->buffer.give_up();
  const SpanCounts counts = impl->buffer.counts();
  spdlog::info("event=telemetry_stopped exported={} refused={} dropped={}", counts.exported, counts.refused,
               counts.dropped);
}

SpanCounts OtlpExporter::counts() const { return impl_->buffer.counts(); }

TraceContext OtlpExporter::begin_trace() {
  TraceContext context{impl_->random.next(), impl_->random.next() | 1U, next_span_id(), false};
  context.is_sampled = impl_->random.unit() < impl_->options.sample_ratio;
  return context;
}

std::uint64_t OtlpExporter::next_span_id() { return impl_->random.next() | 1U; }

void OtlpExporter::record(Span span) {
  const bool was_empty = impl_->buffer.is_empty();
  const TimePoint now = impl_->clock.now();
  impl_->buffer.add(std::move(span), now);
  if (impl_->is_over) return impl_->buffer.give_up();
  const auto due = impl_->buffer.next_export(now);
  if (was_empty || (due && *due <= now)) impl_->wake.cancel();
}

}  // namespace parley::telemetry
