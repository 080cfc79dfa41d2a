#include "agents/tools/web_rules.hpp"

#include <algorithm>
#include <charconv>

#include "libmsg/core/ascii.hpp"

namespace parley::tools {

namespace {

std::string text_of(const HostRule& rule) {
  std::string text = rule.host.empty() ? "*" : (rule.is_below ? "*." : "") + rule.host;
  if (rule.is_any_port) return text + ":*";
  return rule.port ? text + ":" + std::to_string(*rule.port) : text;
}

bool is_any(const std::vector<HostRule>& rules, const http::WebUrl& url) {
  return std::ranges::any_of(rules, [&](const HostRule& rule) { return rule.is_match(url); });
}

/// What stands behind the last colon, unless that is one of an IPv6 address.
std::string_view split_port(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  if (text.starts_with('[') ? text[colon - 1] != ']' : text.find(':') != colon) return {};
  const std::string_view port = text.substr(colon + 1);
  text = text.substr(0, colon);
  return port;
}

}  // namespace

Result<HostRule> HostRule::parse(std::string_view text) {
  const std::string whole(text);
  const auto wrong = [&whole] {
    return fail(ErrorCode::invalid,
                "'" + whole + "': expected a host such as example.org, *.example.org or *, perhaps with :PORT or :*");
  };
  HostRule rule;
  const std::string_view port = split_port(text);
  if (port == "*") {
    rule.is_any_port = true;
  } else if (!port.empty()) {
    std::uint16_t number = 0;
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failure != std::errc() || end != port.data() + port.size() || number == 0) return wrong();
    rule.port = number;
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (text == "*") return rule;
  if (text.starts_with("*.")) {
    rule.is_below = true;
    text.remove_prefix(2);
  }
  const bool is_host = !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':';
  });
  if (!is_host) return wrong();
  rule.host = ascii_lower(text);
  return rule;
}

bool HostRule::is_match(const http::WebUrl& url) const {
  const bool is_usual = url.port == 80 || url.port == 443;
  if (!is_any_port && (port ? url.port != *port : !is_usual)) return false;
  if (host.empty()) return true;
  if (!is_below) return url.host == host;
  return url.host.size() > host.size() + 1 && url.host.ends_with(host) &&
         url.host[url.host.size() - host.size() - 1] == '.';
}

Result<> WebRules::check(const http::WebUrl& url) const {
  if (is_any(hosts, url) || is_any(private_hosts, url)) return {};
  std::string allowed;
  for (const auto* rules : {&hosts, &private_hosts}) {
    for (const HostRule& rule : *rules) allowed += (allowed.empty() ? "" : ", ") + text_of(rule);
  }
  return fail(ErrorCode::unauthorized,
              "'" + url.host + ":" + std::to_string(url.port) + "' is not allowed; allowed are " + allowed);
}

bool WebRules::is_private_allowed(const http::WebUrl& url) const { return is_any(private_hosts, url); }

}  // namespace parley::tools
