// `type: mcp`.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agents/host/mcp_observer.hpp"
#include "agents/host/tool_types.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/http/http_transfer.hpp"
#include "agents/http/url.hpp"
#include "agents/mcp/http_transport.hpp"
#include "agents/mcp/stdio_transport.hpp"
#include "agents/mcp/toolset.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using std::chrono::milliseconds;

constexpr config::Range<milliseconds> kMcpWaits{milliseconds(100), milliseconds(600'000)};

struct McpSettings {
  std::string prefix;
  mcp::ClientOptions client;
  mcp::ChildOptions child;  ///< without a command: HTTP
  std::vector<std::string> env_from;
  mcp::HttpServerOptions http;
  /// Header → variable that holds its value.
  std::vector<std::pair<std::string, std::string>> headers_from;
};

void read_process(ConfigReader& settings, const ToolCommon& common, McpSettings& mcp) {
  mcp.child.command = settings.texts("command");
  if (mcp.child.command.empty() || mcp.child.command.front().empty()) {
    settings.reject("command", "expected a list: the program and its arguments");
  }
  const std::string folder = settings.text("cwd");
  if (!folder.empty()) mcp.child.folder = (common.folder / folder).string();
  mcp.child.environment = settings.text_map("env");
  mcp.env_from = settings.texts("env_from");
}

void read_server(ConfigReader& settings, McpSettings& mcp) {
  mcp.http.url = settings.required_text("url");
  const Result<http::WebUrl> url = http::parse_web_url(mcp.http.url);
  if (!url) {
    settings.reject("url", url.error().message);
  } else {
    mcp.http.is_loopback = url->host == "localhost" || url->host == "::1" || url->host.starts_with("127.");
  }
  for (const auto& [name, value] : settings.text_map("headers")) {
    mcp.http.headers.push_back(http::header_line(name, value));
  }
  mcp.headers_from = settings.text_map("headers_from");
  for (const std::string& header : mcp.http.headers) {
    const bool is_line = std::ranges::none_of(header, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
    if (!is_line) settings.reject("headers", "expected names and values of HTTP headers");
  }
}

Error missing_header(const std::string& variable, const std::string& header, const std::string& url) {
  return {ErrorCode::bad_configuration,
          "the environment variable " + variable + " must hold the header " + header + " for " + url};
}

/// What stands in the environment: secrets never stand in files.
Result<> add_environment(McpSettings& mcp) {
  for (const std::string& name : mcp.env_from) {
    if (std::getenv(name.c_str()) == nullptr) {
      return fail(ErrorCode::bad_configuration,
                  "the environment variable " + name + " is not set; the server needs it");
    }
  }
  mcp.child.environment = mcp::child_environment(mcp.env_from, mcp.child.environment);
  for (const auto& [header, variable] : mcp.headers_from) {
    const char* value = std::getenv(variable.c_str());
    const std::string text = value == nullptr ? "" : value;
    const bool is_line = std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
    if (text.empty() || !is_line) return fail(missing_header(variable, header, mcp.http.url));
    mcp.http.headers.push_back(http::header_line(header, text));
  }
  return {};
}

Result<MadeTool> make_mcp(McpSettings mcp, ToolServices& services) {
  const Result<> complete = add_environment(mcp);
  if (!complete) return fail(complete.error());
  std::unique_ptr<mcp::Transport> transport;
  if (mcp.child.command.empty()) {
    if (services.curl == nullptr) services.curl = http::CurlMulti::make(services.io);
    transport =
        std::make_unique<mcp::HttpTransport>(std::move(mcp.http), services.curl, services.clock, services.random);
  } else {
    transport = std::make_unique<mcp::StdioTransport>(mcp.client.name, std::move(mcp.child), services.io.get_executor(),
                                                      services.clock, services.random);
  }
  const std::string name = mcp.client.name;
  auto client = std::make_unique<mcp::Client>(std::move(mcp.client), std::move(transport), services.io.get_executor(),
                                              services.clock);
  if (services.metrics != nullptr) {
    client->set_observer(std::make_shared<McpObserver>(services.metrics->mcp_server(name)));
  }
  return std::make_shared<mcp::McpToolset>(std::move(client), std::move(mcp.prefix));
}

MakeTool read_mcp(ConfigReader& settings, const ToolCommon& common) {
  McpSettings mcp;
  mcp.client.name = common.name;
  mcp.prefix = settings.text("prefix", common.name + "_");
  if (settings.has("url") == settings.has("command")) settings.reject("expected either `command` or `url`");
  if (settings.has("command")) read_process(settings, common, mcp);
  if (settings.has("url")) read_server(settings, mcp);
  mcp.client.connect_timeout = settings.duration("connect_timeout", mcp.client.connect_timeout, kMcpWaits);
  mcp.client.probe_timeout = settings.duration("probe_timeout", mcp.client.probe_timeout, kMcpWaits);
  mcp.client.question_timeout = settings.duration("question_timeout", mcp.client.question_timeout,
                                                  {milliseconds(1000), milliseconds(86'400'000)});
  return [mcp = std::move(mcp)](ToolServices& services) -> Result<MadeTool> { return make_mcp(mcp, services); };
}

}  // namespace

const ToolType kMcpToolType{"mcp", true, milliseconds(120'000), &read_mcp};

}  // namespace parley::host
