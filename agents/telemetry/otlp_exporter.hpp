// Sends a worker's spans to an OpenTelemetry collector: OTLP over HTTP with JSON, by libcurl on the worker's own loop.
// A collector that is away costs the agents nothing: spans wait, then are dropped and counted. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/http/curl_multi.hpp"
#include "agents/telemetry/otlp_json.hpp"
#include "agents/telemetry/span_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/span.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::telemetry {

struct OtlpOptions {
  std::string url;                   ///< where spans are posted to, `/v1/traces` included
  std::vector<std::string> headers;  ///< `Name: value`; may hold secrets
  Resource resource;
  /// Of the traces that begin here; one that began elsewhere is recorded when its beginner decided so.
  double sample_ratio = 1;
  std::chrono::milliseconds timeout{10'000};
  BufferLimits limits{};
};

class OtlpExporter final : public SpanSink {
 public:
  /// `io`, `clock` and `random` must outlive the exporter and its start().
  static std::shared_ptr<OtlpExporter> make(asio::io_context& io, const Clock& clock, Random& random,
                                            std::shared_ptr<http::CurlMulti> curl, OtlpOptions options);
  ~OtlpExporter() override;

  /// Begins to send in the background, until stop().
  void start();
  /// Sends what is left, for at most `limit`; the rest is dropped and counted. Later spans are dropped, too.
  Task<> stop(std::chrono::milliseconds limit);
  [[nodiscard]] SpanCounts counts() const;

  // SpanSink
  [[nodiscard]] TraceContext begin_trace() override;
  [[nodiscard]] std::uint64_t next_span_id() override;
  void record(Span span) override;

 private:
  struct Impl;
  explicit OtlpExporter(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  ///< shared with the coroutine that sends
};

}  // namespace parley::telemetry
