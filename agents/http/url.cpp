#include "agents/http/url.hpp"

#include <charconv>
#include <curl/curl.h>
#include <memory>
#include <new>
#include <utility>

#include "libmsg/core/ascii.hpp"

namespace parley::http {

namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

/// An empty text when the URL has no such part.
std::string part(CURLU* url, CURLUPart what, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  std::string result(text);
  curl_free(text);
  return result;
}

Result<WebUrl> read(CURLU* url) {
  curl_url_set(url, CURLUPART_FRAGMENT, nullptr, 0);
  WebUrl result;
  result.scheme = part(url, CURLUPART_SCHEME);
  if (result.scheme != "http" && result.scheme != "https") {
    return fail(ErrorCode::invalid, "expected a URL that begins with http:// or https://");
  }
  if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty()) {
    return fail(ErrorCode::invalid, "a URL may hold no user name and no password");
  }
  result.host = ascii_lower(part(url, CURLUPART_HOST));
  if (result.host.starts_with('[')) result.host = result.host.substr(1, result.host.size() - 2);
  while (result.host.ends_with('.')) result.host.pop_back();
  if (result.host.empty()) return fail(ErrorCode::invalid, "the URL has no host");
  const std::string port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), result.port);
  result.text = part(url, CURLUPART_URL);
  return result;
}

Result<> set(CURLU* url, std::string_view text, unsigned int flags) {
  if (text.size() > kMaxUrlBytes) return fail(ErrorCode::invalid, "the URL is longer than 8192 bytes");
  if (text.contains('\0')) return fail(ErrorCode::invalid, "the URL has a zero byte");
  const CURLUcode code = curl_url_set(url, CURLUPART_URL, std::string(text).c_str(), flags);
  if (code != CURLUE_OK) return fail(ErrorCode::invalid, std::string("no URL: ") + curl_url_strerror(code));
  return {};
}

UrlHandle make_handle() {
  UrlHandle handle(curl_url());
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

}  // namespace

Result<WebUrl> parse_web_url(std::string_view text) {
  const UrlHandle url = make_handle();
  Result<> done = set(url.get(), text, CURLU_URLENCODE);
  if (!done) return fail(std::move(done).error());
  return read(url.get());
}

Result<WebUrl> resolve_web_url(const WebUrl& base, std::string_view link) {
  const UrlHandle url = make_handle();
  Result<> done = set(url.get(), base.text, CURLU_URLENCODE);
  if (done) done = set(url.get(), link, CURLU_URLENCODE);
  if (!done) return fail(std::move(done).error());
  return read(url.get());
}

}  // namespace parley::http
