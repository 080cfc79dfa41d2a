// URLs as libcurl reads them, so that what was checked is what is connected to. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::http {

/// Of a web page: scheme `http` or `https`, no user and password.
struct WebUrl {
  std::string text;  ///< normalised, without the fragment
  std::string scheme;
  std::string host;  ///< in lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
};

/// Fails with `invalid` for anything else.
Result<WebUrl> parse_web_url(std::string_view text);
/// A link on the page `base`, or its `Location`.
Result<WebUrl> resolve_web_url(const WebUrl& base, std::string_view link);

}  // namespace parley::http
