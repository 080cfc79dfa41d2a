#include "agents/host/telemetry_config.hpp"

#include <array>
#include <chrono>
#include <unistd.h>

namespace parley::host {

telemetry::TelemetrySettings read_telemetry(config::ConfigReader& root) {
  telemetry::TelemetrySettings settings;
  std::optional<config::ConfigReader> reader = root.child("telemetry");
  if (!reader) return settings;
  settings.otlp_endpoint = reader->optional_text("otlp_endpoint");
  if (settings.otlp_endpoint && !telemetry::is_otlp_endpoint(*settings.otlp_endpoint)) {
    reader->reject("otlp_endpoint", "expected the base of a collector, such as http://localhost:4318");
  }
  settings.headers_variable = reader->text("headers_env", settings.headers_variable);
  settings.sample_ratio = reader->number("sample_ratio", settings.sample_ratio, {0, 1});
  settings.timeout = reader->duration("timeout", settings.timeout,
                                      {std::chrono::milliseconds(100), std::chrono::milliseconds(300'000)});
  reader->reject_unknown_keys();
  return settings;
}

telemetry::Resource telemetry_resource(const std::string& worker_name) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  const std::string pid = std::to_string(::getpid());
  const std::string host_name = host.data();
  return {{"service.name", worker_name},
          {"service.namespace", "parley"},
          {"service.version", PARLEY_VERSION},
          {"service.instance.id", worker_name + "." + pid + "@" + host_name},
          {"host.name", host_name},
          {"process.pid", pid}};
}

}  // namespace parley::host
