// Where spans go, from the configuration file and OpenTelemetry's own environment variables. The file wins.
// Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/telemetry/otlp_exporter.hpp"
#include "libmsg/core/error.hpp"

namespace parley::telemetry {

/// The `telemetry:` map of a configuration file.
struct TelemetrySettings {
  /// Base of the collector (`http://localhost:4318`); unset: what the environment says.
  std::optional<std::string> otlp_endpoint;
  /// Names the variable that holds the headers, since they may be secret.
  std::string headers_variable = "OTEL_EXPORTER_OTLP_HEADERS";
  double sample_ratio = 1;
  std::chrono::milliseconds timeout{10'000};
};

/// The value of an environment variable; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;
[[nodiscard]] std::string process_environment(const char* name);

/// `http://HOST…` or `https://HOST…`.
[[nodiscard]] bool is_otlp_endpoint(std::string_view url);

/// `name=value,name=value`, values percent-encoded where needed. nullopt when it is something else.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_pairs(std::string_view text);

/// nullopt: nothing is exported, because nobody has named an endpoint or OTEL_SDK_DISABLED is `true`. Fails with
/// `bad_configuration` when a variable is malformed; the message never holds its value.
Result<std::optional<OtlpOptions>> resolve(const TelemetrySettings& settings, const Resource& resource,
                                           const Environment& environment);

}  // namespace parley::telemetry
