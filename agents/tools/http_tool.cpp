#include "agents/tools/http_tool.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/http/address.hpp"
#include "agents/tools/html_text.hpp"
#include "agents/tools/tool_text.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::tools {

using http::WebUrl;
using messages::ToolResult;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxShownHosts = 20;

std::string describe_web(const HttpToolOptions& options) {
  if (!options.description.empty()) return options.description;
  std::string text = "Reads a web page or an HTTP interface and gives its text.";
  std::string hosts;
  std::size_t count = 0;
  for (const auto* rules : {&options.rules.hosts, &options.rules.private_hosts}) {
    for (const HostRule& rule : *rules) {
      if (rule.host.empty()) return text;
      if (++count > kMaxShownHosts) continue;
      hosts += (hosts.empty() ? "" : ", ") + std::string(rule.is_below ? "*." : "") + rule.host;
      if (rule.port) hosts += ":" + std::to_string(*rule.port);
    }
  }
  return text + " Hosts: " + hosts + (count > kMaxShownHosts ? ", …." : ".");
}

bool takes_body(const std::string& method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

std::string parameters_of(const HttpToolOptions& options) {
  json properties = {{"url", {{"type", "string"}, {"description", "Address, with http:// or https://."}}}};
  if (options.methods.size() > 1) {
    properties["method"] = {{"enum", options.methods}, {"description", options.methods.front() + " if left out."}};
  }
  if (std::ranges::any_of(options.methods, &takes_body)) {
    properties["body"] = {{"type", "string"}, {"description", "What is sent."}};
    properties["content_type"] = {{"type", "string"},
                                  {"pattern", "^[A-Za-z0-9.+_/; =-]{1,100}$"},
                                  {"description", "Of the body; application/json if left out."}};
  }
  const json schema = {
      {"type", "object"}, {"properties", properties}, {"required", {"url"}}, {"additionalProperties", false}};
  return schema.dump();
}

bool is_redirect(int status) {
  constexpr std::array<int, 5> kRedirects{301, 302, 303, 307, 308};
  return std::ranges::find(kRedirects, status) != kRedirects.end();
}

/// `text/html` of `Text/HTML; charset=utf-8`.
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return ascii_lower(type);
}

bool is_text(const std::string& type) {
  return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml") || type.ends_with("yaml") ||
         type.ends_with("javascript") || type == "application/x-www-form-urlencoded";
}

/// The one other character set that the web still serves.
bool is_latin1(std::string_view content_type) {
  const std::string lower = ascii_lower(content_type);
  return lower.contains("iso-8859-1") || lower.contains("windows-1252");
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | byte >> 6U);
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

}  // namespace

HttpTool::HttpTool(HttpToolOptions options, std::shared_ptr<http::CurlMulti> multi)
    : options_(std::move(options)),
      multi_(std::move(multi)),
      spec_{options_.name, describe_web(options_), parameters_of(options_)} {}

Task<Result<ToolResult>> HttpTool::call(json arguments, ToolContext& context) {
  Result<WebUrl> url = http::parse_web_url(arguments.at("url").get_ref<const std::string&>());
  if (!url) co_return fail(std::move(url).error());
  Visit visit;
  visit.url = std::move(*url);
  visit.method = arguments.value("method", options_.methods.front());
  visit.body = arguments.value("body", std::string());
  visit.content_type = arguments.value("content_type", std::string("application/json"));
  if (!visit.body.empty() && !takes_body(visit.method)) {
    co_return fail(ErrorCode::invalid, visit.method + " takes no body");
  }
  for (std::size_t redirects = 0;; ++redirects) {
    const Result<> allowed = options_.rules.check(visit.url);
    if (!allowed) co_return fail(allowed.error());
    Result<Page> page = co_await fetch(visit, context);
    if (!page) {
      Error error = std::move(page).error();
      error.message = visit.url.host + ": " + error.message;
      hide_credentials(error.message);
      co_return fail(std::move(error));
    }
    if (!is_redirect(page->status) || page->location.empty()) co_return result_of(visit, std::move(*page));
    if (redirects >= options_.max_redirects) {
      co_return fail(ErrorCode::upstream_failed, "more than " + std::to_string(options_.max_redirects) +
                                                     " redirects; the last led to " + page->location);
    }
    const Result<> moved = redirect(visit, *page);
    if (!moved) co_return fail(moved.error());
  }
}

Task<Result<HttpTool::Page>> HttpTool::fetch(const Visit& visit, ToolContext& context) const {
  http::HttpTransfer transfer(multi_, request_for(visit));
  Page page;
  for (;;) {
    Result<std::optional<std::string>> bytes = co_await transfer.read(context.deadline - context.turn.now());
    if (!bytes) co_return fail(std::move(bytes).error());
    if (!*bytes) break;
    context.turn.report_progress();
    page.body += **bytes;
    if (page.body.size() <= options_.max_response_bytes) continue;
    page.body.resize(options_.max_response_bytes);
    page.is_cut = true;
    break;  // the rest stays in the network
  }
  page.status = transfer.status();
  page.content_type = transfer.header("content-type");
  page.location = transfer.header("location");
  co_return page;
}

http::HttpRequest HttpTool::request_for(const Visit& visit) const {
  http::HttpRequest request;
  request.method = visit.method;
  request.url = visit.url.text;
  request.headers = {"Accept: text/html, application/json, text/plain;q=0.9, */*;q=0.5"};
  request.headers.emplace_back(std::string("User-Agent: parley/") + PARLEY_VERSION);
  request.headers.insert(request.headers.end(), options_.headers.begin(), options_.headers.end());
  for (const WebCredential& each : options_.credentials) {
    if (each.host.is_match(visit.url)) request.headers.push_back(each.header + ": " + each.prefix + each.secret);
  }
  request.body = visit.body;
  if (takes_body(visit.method)) request.headers.push_back("Content-Type: " + visit.content_type);
  // A page that is larger is cut, so the transfer itself must not be what ends it.
  request.max_response_bytes = options_.max_response_bytes * 2 + std::size_t{1} * 1024 * 1024;
  request.is_compression_accepted = true;
  const bool is_private_allowed = options_.rules.is_private_allowed(visit.url);
  request.may_connect = [is_private_allowed](const sockaddr& address) {
    return is_private_allowed || http::is_public_address(address);
  };
  return request;
}

Result<> HttpTool::redirect(Visit& visit, const Page& page) const {
  Result<WebUrl> next = http::resolve_web_url(visit.url, page.location);
  if (!next) return fail(std::move(next).error());
  if (visit.url.scheme == "https" && next->scheme == "http") {
    return fail(ErrorCode::unauthorized, "the page redirects from https to http, which is not followed: " + next->text);
  }
  visit.url = std::move(*next);
  const bool keeps_method = page.status == 307 || page.status == 308;
  if (!keeps_method && visit.method != "HEAD") {
    visit.method = "GET";
    visit.body.clear();
  }
  return {};
}

ToolResult HttpTool::result_of(const Visit& visit, Page page) const {
  const std::string type = media_type(page.content_type);
  if (is_latin1(page.content_type)) page.body = latin1_to_utf8(page.body);
  ToolResult result;
  result.is_error = page.status >= 400;
  result.content = "HTTP " + std::to_string(page.status) + " " + visit.url.text + "\n\n";
  if (type == "text/html" || type == "application/xhtml+xml") {
    LinkResolver resolve;
    if (options_.has_links) {
      resolve = [&visit](std::string_view href) {
        const Result<WebUrl> link = http::resolve_web_url(visit.url, href);
        return link ? link->text : std::string();
      };
    }
    result.content += html_text(clean_utf8(std::move(page.body)), resolve);
  } else if (type.empty() || is_text(type)) {
    result.content += page.body;
  } else {
    result.content += "[" + std::to_string(page.body.size()) + " bytes of " + type + ", which is no text]";
  }
  if (page.is_cut) {
    result.content += "\n[only the first " + std::to_string(options_.max_response_bytes) + " bytes were read]";
    result.is_truncated = true;
  }
  hide_credentials(result.content);
  return result;
}

/// Some servers send back what they got.
void HttpTool::hide_credentials(std::string& text) const {
  constexpr std::size_t kMinSecretBytes = 8;
  for (const WebCredential& each : options_.credentials) {
    if (each.secret.size() < kMinSecretBytes) continue;
    for (std::size_t at = text.find(each.secret); at != std::string::npos; at = text.find(each.secret, at)) {
      text.replace(at, each.secret.size(), "***");
    }
  }
}

}  // namespace parley::tools
