// Which pages the `http` tool may visit. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/http/url.hpp"
#include "libmsg/core/error.hpp"

namespace parley::tools {

/// `example.org`, `*.example.org` (any name below it), `*` (any), each with `:PORT` or `:*`, or without: 80 and 443.
struct HostRule {
  static Result<HostRule> parse(std::string_view text);
  [[nodiscard]] bool is_match(const http::WebUrl& url) const;

  std::string host;  ///< in lower case; empty: any
  bool is_below = false;
  bool is_any_port = false;
  std::optional<std::uint16_t> port = std::nullopt;  ///< unset: the usual ones
};

struct WebRules {
  std::vector<HostRule> hosts;
  /// Hosts that may be at loopback, private and link-local addresses; allowed, too.
  std::vector<HostRule> private_hosts = {};

  /// Fails with `unauthorized`, saying what is allowed.
  [[nodiscard]] Result<> check(const http::WebUrl& url) const;
  [[nodiscard]] bool is_private_allowed(const http::WebUrl& url) const;
};

}  // namespace parley::tools
