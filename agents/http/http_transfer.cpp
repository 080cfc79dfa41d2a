#include "agents/http/http_transfer.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <new>
#include <sys/socket.h>
#include <utility>

#include "agents/http/address.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::http {

namespace {

/// What may wait for a slow reader before the network has to.
constexpr std::size_t kMaxUnreadBytes = std::size_t{64} * 1024;
/// Thousands of transfers wait at once, and each has buffers of its own: libcurl's defaults are 16 and 64 KiB. The
/// second is used for large bodies only, and cannot be smaller.
constexpr long kReceiveBufferBytes = 8 * 1024;
constexpr long kUploadBufferBytes = 16 * 1024;

bool is_connect_failure(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_OPERATION_TIMEDOUT:  // libcurl's only timeout here is that of connecting
    case CURLE_PROXY:
      return true;
    default:
      return false;
  }
}

std::string milliseconds_text(std::chrono::milliseconds duration) { return std::to_string(duration.count()) + " ms"; }

}  // namespace

HttpTransfer::HttpTransfer(std::shared_ptr<CurlMulti> multi, HttpRequest request)
    : multi_(std::move(multi)), request_(std::move(request)), easy_(curl_easy_init()), signal_(multi_->io()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  set_options();
  if (multi_->add(easy_.get(), *this) != CURLM_OK) result_ = CURLE_FAILED_INIT;
}

HttpTransfer::~HttpTransfer() {
  if (!result_) multi_->remove(easy_.get());
}

void HttpTransfer::set_options() {
  CURL* easy = easy_.get();
  // libcurl would otherwise wait for a "100 Continue" that many servers never send.
  request_.headers.emplace_back("Expect:");
  for (const std::string& header : request_.headers) {
    curl_slist* longer = curl_slist_append(header_list_.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(header_list_.release());
    header_list_.reset(longer);
  }
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_list_.get());
  if (request_.method == "POST" || !request_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  if (request_.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Aborting during a slow name lookup must not wait for the lookup.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  if (!request_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, request_.ca_file.c_str());
  if (request_.is_loopback || request_.may_connect) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  if (request_.is_compression_accepted) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  if (!request_.may_connect) return;
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

Task<Result<std::optional<std::string>>> HttpTransfer::read(Duration limit) {
  if (unread_.empty() && !result_) {
    const bool is_stall_next = request_.stall_timeout < limit;
    signal_.expires_after(is_stall_next ? Duration(request_.stall_timeout) : std::max(limit, Duration::zero()));
    asio::error_code error;
    co_await signal_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none)
      co_return fail(ErrorCode::cancelled, "the call was cancelled");
    if (unread_.empty() && !result_) {
      if (is_stall_next) {
        co_return fail(ErrorCode::upstream_failed, "nothing arrived for " + milliseconds_text(request_.stall_timeout));
      }
      co_return fail(ErrorCode::timeout, "the time is up");
    }
  }
  if (unread_.empty()) co_return ending();
  std::string bytes = std::exchange(unread_, {});
  if (std::exchange(is_paused_, false)) curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  co_return bytes;
}

Result<std::optional<std::string>> HttpTransfer::ending() const {
  if (*result_ == CURLE_OK) return std::nullopt;
  if (is_too_large_) {
    return fail(Error(ErrorCode::upstream_failed,
                      "the answer exceeds " + std::to_string(request_.max_response_bytes) + " bytes", false));
  }
  const bool is_unconnected = status() == 0 && is_connect_failure(*result_);
  if (is_unconnected && !refused_address_.empty()) {
    return fail(ErrorCode::unauthorized, "the address " + refused_address_ + " is not allowed");
  }
  if (is_without_descriptor_) {
    return fail(Error(ErrorCode::unreachable, "this process has no file descriptor left (`ulimit -n`)", true));
  }
  std::string reason = error_text_[0] != '\0' ? error_text_ : curl_easy_strerror(*result_);
  return fail(Error(is_unconnected ? ErrorCode::unreachable : ErrorCode::upstream_failed, std::move(reason), true));
}

int HttpTransfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::string_view HttpTransfer::header(std::string_view lower_name) const {
  const auto found = headers_.find(lower_name);
  return found == headers_.end() ? std::string_view() : std::string_view(found->second);
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self_pointer) {
  auto& self = *static_cast<HttpTransfer*>(self_pointer);
  const std::size_t bytes = size * count;
  if (self.unread_.size() >= kMaxUnreadBytes) {
    self.is_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (bytes > self.request_.max_response_bytes - self.received_bytes_) {
    self.is_too_large_ = true;
    return 0;  // ends the transfer
  }
  self.received_bytes_ += bytes;
  self.unread_.append(data, bytes);
  self.signal_.cancel();
  return bytes;
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self_pointer) {
  auto& self = *static_cast<HttpTransfer*>(self_pointer);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) self.headers_.clear();  // an interim answer came before
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    self.headers_.insert_or_assign(ascii_lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

curl_socket_t HttpTransfer::on_open_socket(void* self_pointer, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& self = *static_cast<HttpTransfer*>(self_pointer);
  if (!self.request_.may_connect(address->addr)) {
    self.refused_address_ = address_text(address->addr);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void HttpTransfer::on_done(CURLcode code) {
  result_ = code;
  is_without_descriptor_ = code != CURLE_OK && status() == 0 && multi_->is_out_of_descriptors();
  signal_.cancel();
}

}  // namespace parley::http
