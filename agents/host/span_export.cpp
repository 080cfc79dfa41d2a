#include "agents/host/span_export.hpp"

#include <spdlog/spdlog.h>
#include <utility>

#include "agents/host/telemetry_config.hpp"
#include "agents/http/curl_multi.hpp"

namespace parley::host {

Result<std::shared_ptr<telemetry::OtlpExporter>> start_span_exporter(asio::io_context& io, const Clock& clock,
                                                                     Random& random,
                                                                     const telemetry::TelemetrySettings& settings,
                                                                     const std::string& name) {
  Result<std::optional<telemetry::OtlpOptions>> resolved =
      telemetry::resolve(settings, telemetry_resource(name), telemetry::process_environment);
  if (!resolved) return fail(std::move(resolved).error());
  if (!*resolved) return nullptr;
  spdlog::info("event=telemetry_started url={} sample_ratio={}", (**resolved).url, (**resolved).sample_ratio);
  auto exporter = telemetry::OtlpExporter::make(io, clock, random, http::CurlMulti::make(io), std::move(**resolved));
  exporter->start();
  return exporter;
}

telemetry::TelemetrySettings shared_telemetry(const SuiteConfig& suite) {
  for (const SuiteWorker& worker : suite.workers) {
    if (worker.config.telemetry.otlp_endpoint) return worker.config.telemetry;
  }
  return suite.workers.empty() ? telemetry::TelemetrySettings() : suite.workers.front().config.telemetry;
}

}  // namespace parley::host
