// The exporter of a process's spans, as its configuration and environment want it. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "agents/host/agents_config.hpp"
#include "agents/telemetry/otlp_exporter.hpp"

namespace parley::host {

/// For the last spans, when the process ends.
inline constexpr std::chrono::milliseconds kSpanGrace{1000};

/// Started; null when neither the settings nor the environment name a collector. `name` is who the spans are from.
/// Fails with `bad_configuration`. All but the settings must outlive it.
[[nodiscard]] Result<std::shared_ptr<telemetry::OtlpExporter>> start_span_exporter(
    asio::io_context& io, const Clock& clock, Random& random, const telemetry::TelemetrySettings& settings,
    const std::string& name);

/// Of a suite whose workers share one process: those of the first worker that names a collector.
[[nodiscard]] telemetry::TelemetrySettings shared_telemetry(const SuiteConfig& suite);

}  // namespace parley::host
