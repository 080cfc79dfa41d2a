// The `telemetry:` map of a configuration file. Values; any thread.
#pragma once

#include "agents/telemetry/otlp_settings.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

/// Where there is no such map, only the environment decides.
[[nodiscard]] telemetry::TelemetrySettings read_telemetry(config::ConfigReader& root);

/// Who the spans of this process are from.
[[nodiscard]] telemetry::Resource telemetry_resource(const std::string& worker_name);

}  // namespace parley::host
