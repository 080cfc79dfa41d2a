#include "agents/telemetry/otlp_settings.hpp"

#include <algorithm>
#include <cstdlib>

#include "agents/http/http_transfer.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::telemetry {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

/// A line break in a header would begin another one.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; });
}

std::string with_path(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  return base.append(kTracesPath);
}

/// The endpoint, or an empty text when nobody has named one.
std::string url_of(const TelemetrySettings& settings, const Environment& environment) {
  if (settings.otlp_endpoint) return with_path(*settings.otlp_endpoint);
  if (std::string url = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !url.empty()) return url;
  std::string base = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
  return base.empty() ? base : with_path(std::move(base));
}

std::unexpected<Error> malformed(const std::string& variable) {
  return fail(ErrorCode::bad_configuration,
              "the environment variable " + variable + " is not of the form name=value,name=value");
}

/// Later ones of the same name win.
void put(Resource& resource, const std::string& name, const std::string& value) {
  const auto found = std::ranges::find(resource, name, &Resource::value_type::first);
  if (found == resource.end()) {
    resource.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

}  // namespace

std::string process_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_otlp_endpoint(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme)) {
      const std::string_view rest = url.substr(scheme.size());
      return !rest.empty() && rest.front() != '/' && is_printable(url) && !url.contains(' ');
    }
  }
  return false;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!trimmed(text).empty()) {
    const std::size_t end = text.find(',');
    const std::string_view entry = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trimmed(entry.substr(0, equals));
    std::optional<std::string> value = percent_decode(trimmed(entry.substr(equals + 1)));
    if (!value || !is_printable(name) || !is_printable(*value) || name.contains(':')) return std::nullopt;
    pairs.emplace_back(name, std::move(*value));
  }
  return pairs;
}

Result<std::optional<OtlpOptions>> resolve(const TelemetrySettings& settings, const Resource& resource,
                                           const Environment& environment) {
  OtlpOptions options;
  options.url = url_of(settings, environment);
  if (options.url.empty() || environment("OTEL_SDK_DISABLED") == "true") return std::nullopt;
  if (!is_otlp_endpoint(options.url)) {
    return fail(ErrorCode::bad_configuration,
                "the OTLP endpoint '" + options.url + "' is not of the form http://HOST:PORT or https://HOST");
  }
  const auto headers = parse_pairs(environment(settings.headers_variable.c_str()));
  if (!headers) return malformed(settings.headers_variable);
  for (const auto& [name, value] : *headers) options.headers.push_back(http::header_line(name, value));
  const auto attributes = parse_pairs(environment("OTEL_RESOURCE_ATTRIBUTES"));
  if (!attributes) return malformed("OTEL_RESOURCE_ATTRIBUTES");
  options.resource = resource;
  for (const auto& [name, value] : *attributes) put(options.resource, name, value);
  if (const std::string name = environment("OTEL_SERVICE_NAME"); !name.empty()) {
    put(options.resource, "service.name", name);
  }
  options.sample_ratio = settings.sample_ratio;
  options.timeout = settings.timeout;
  return options;
}

}  // namespace parley::telemetry
