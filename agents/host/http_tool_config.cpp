// `type: http`.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "agents/host/tool_types.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/http/http_transfer.hpp"
#include "agents/tools/http_tool.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using std::chrono::milliseconds;
using tools::HostRule;

/// A header whose value comes from the environment.
struct CredentialSetting {
  HostRule host;
  std::string header;
  std::string variable;
  std::string prefix;
};

bool is_header_name(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.contains(c);
  });
}

bool is_header_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
}

std::vector<HostRule> read_hosts(ConfigReader& settings, std::string_view key) {
  std::vector<HostRule> rules;
  for (const std::string& text : settings.texts(key)) {
    Result<HostRule> rule = HostRule::parse(text);
    if (rule) {
      rules.push_back(std::move(*rule));
    } else {
      settings.reject(key, rule.error().message);
    }
  }
  return rules;
}

std::vector<std::string> read_methods(ConfigReader& settings) {
  constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> methods = settings.texts("methods");
  for (const std::string& each : methods) {
    if (std::ranges::find(kMethods, each) == kMethods.end()) {
      settings.reject("methods", "'" + each + "': expected GET, HEAD, POST, PUT, PATCH or DELETE");
    }
  }
  return methods.empty() ? std::vector<std::string>{"GET"} : methods;
}

std::vector<std::string> read_headers(ConfigReader& settings) {
  std::vector<std::string> headers;
  for (const auto& [name, value] : settings.text_map("headers")) {
    if (!is_header_name(name) || !is_header_value(value))
      settings.reject("headers", "expected names and values of HTTP headers");
    headers.push_back(http::header_line(name, value));
  }
  return headers;
}

std::vector<CredentialSetting> read_credentials(ConfigReader& settings) {
  std::vector<CredentialSetting> credentials;
  for (ConfigReader& entry : settings.children("credentials")) {
    CredentialSetting credential;
    const std::string host = entry.required_text("host");
    Result<HostRule> rule = HostRule::parse(host);
    if (!host.empty() && (!rule || rule->host.empty() || rule->is_below)) {
      entry.reject("host", "expected the name of one host: a secret is for nobody else");
    } else if (rule) {
      credential.host = std::move(*rule);
    }
    credential.header = entry.text("header", "Authorization");
    if (!is_header_name(credential.header)) entry.reject("header", "expected the name of an HTTP header");
    credential.variable = entry.required_text("env");
    credential.prefix = entry.text("prefix", credential.header == "Authorization" ? "Bearer " : "");
    if (!is_header_value(credential.prefix)) entry.reject("prefix", "expected text that an HTTP header may hold");
    entry.reject_unknown_keys();
    credentials.push_back(std::move(credential));
  }
  return credentials;
}

Result<tools::WebCredential> credential_of(const CredentialSetting& setting) {
  const char* value = std::getenv(setting.variable.c_str());
  if (value == nullptr || *value == '\0') {
    return fail(ErrorCode::bad_configuration, "the environment variable " + setting.variable +
                                                  " is not set; it must hold the secret for " + setting.host.host);
  }
  if (!is_header_value(value)) {
    return fail(ErrorCode::bad_configuration,
                "the environment variable " + setting.variable + " holds characters that no header may have");
  }
  return tools::WebCredential{setting.host, setting.header, setting.prefix, value};
}

MakeTool read_http_tool(ConfigReader& settings, const ToolCommon& common) {
  tools::HttpToolOptions options;
  options.name = common.name;
  options.description = common.description;
  options.rules.hosts = read_hosts(settings, "hosts");
  options.rules.private_hosts = read_hosts(settings, "private_hosts");
  if (!settings.has("hosts") && !settings.has("private_hosts")) {
    settings.reject("hosts", "expected a list of hosts that may be visited, such as [example.org, '*.example.org']");
  }
  options.methods = read_methods(settings);
  options.headers = read_headers(settings);
  options.max_redirects = settings.integer("max_redirects", options.max_redirects, {0, 20});
  options.max_response_bytes = settings.integer("max_response_bytes", options.max_response_bytes, {1024, 67'108'864});
  options.has_links = settings.flag("links", options.has_links);
  std::vector<CredentialSetting> credentials = read_credentials(settings);
  return
      [options = std::move(options), credentials = std::move(credentials)](ToolServices& services) -> Result<MadeTool> {
        tools::HttpToolOptions complete = options;
        for (const CredentialSetting& each : credentials) {
          Result<tools::WebCredential> credential = credential_of(each);
          if (!credential) return fail(std::move(credential).error());
          complete.credentials.push_back(std::move(*credential));
        }
        if (services.curl == nullptr) services.curl = http::CurlMulti::make(services.io);
        return std::make_shared<tools::HttpTool>(std::move(complete), services.curl);
      };
}

}  // namespace

const ToolType kHttpToolType{"http", false, milliseconds(30'000), &read_http_tool};

}  // namespace parley::host
