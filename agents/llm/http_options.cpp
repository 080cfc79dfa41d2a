#include "agents/llm/http_options.hpp"

#include <curl/curl.h>
#include <memory>
#include <utility>

namespace parley::llm {

namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

bool is_loopback_host(const std::string& host) {
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (is_ipv4 && host.starts_with("127."));
}

}  // namespace

Result<Endpoint> Endpoint::parse(const std::string& base_url) {
  const auto wrong = [&](const std::string& why) {
    return fail(ErrorCode::bad_configuration, "base URL " + why + "; expected for example https://api.openai.com/v1");
  };
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, base_url.c_str(), 0) != CURLUE_OK) {
    return wrong("'" + base_url + "' is not a URL");
  }
  // The URL is not repeated here: it holds a secret.
  if (!part_of(url.get(), CURLUPART_USER).empty() || !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return wrong("has a user or password in it; put the key into an environment variable");
  }
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return wrong("'" + base_url + "' is neither http nor https");
  if (!part_of(url.get(), CURLUPART_QUERY).empty() || !part_of(url.get(), CURLUPART_FRAGMENT).empty()) {
    return wrong("'" + base_url + "' has a query or fragment");
  }

  Endpoint endpoint;
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  const std::string port = part_of(url.get(), CURLUPART_PORT);
  endpoint.host = port.empty() ? host : host + ":" + port;
  endpoint.is_loopback = is_loopback_host(host);
  endpoint.is_encrypted = scheme == "https";
  endpoint.base_url = base_url;
  while (endpoint.base_url.ends_with('/')) endpoint.base_url.pop_back();
  return endpoint;
}

bool sends_key_in_the_clear(const Endpoint& endpoint, const HttpOptions& options) {
  return !endpoint.is_encrypted && !endpoint.is_loopback && !options.key_variable.empty();
}

}  // namespace parley::llm
