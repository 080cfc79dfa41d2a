// One HTTP request whose answer is read piece by piece, with back-pressure: what nobody reads stays in the network.
// Destroying the transfer aborts it. Redirects are not followed. Loop thread only.
#pragma once

#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <curl/curl.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/http/curl_multi.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::http {

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::string> headers;  ///< `Name: value`
  std::string body;
  std::chrono::milliseconds connect_timeout{5'000};
  /// Silence for this long, while somebody reads, ends the transfer.
  std::chrono::milliseconds stall_timeout{120'000};
  std::size_t max_response_bytes = std::size_t{16} * 1024 * 1024;
  /// Certificates that servers are checked against; empty: the system's.
  std::string ca_file = {};
  /// Proxy settings of the environment are meant for the world outside.
  bool is_loopback = false;
  /// Takes compressed answers; max_response_bytes counts what comes out of them.
  bool is_compression_accepted = false;
  /// Asked about the address of each connection before it is made, whatever the name resolved to; false refuses it.
  /// With it set a connection of its own is made, past any proxy: one that another request left open was not asked
  /// about.
  std::function<bool(const sockaddr& address)> may_connect = nullptr;
};

/// A line of HttpRequest::headers.
[[nodiscard]] inline std::string header_line(std::string_view name, std::string_view value) {
  return std::string(name).append(": ").append(value);
}

class HttpTransfer final : private CurlListener {
 public:
  HttpTransfer(std::shared_ptr<CurlMulti> multi, HttpRequest request);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;
  ~HttpTransfer();

  /// The next bytes of the answer; nullopt at its proper end. Fails with `unreachable` (no connection), `unauthorized`
  /// (may_connect refused the address),
  /// `upstream_failed` (broke off, silent or too large), `timeout` (`limit` passed) or `cancelled` (Asio cancellation
  /// of the awaiting coroutine). After a failure other than `timeout` the transfer is over.
  Task<Result<std::optional<std::string>>> read(Duration limit);

  /// Valid once read() has given something. 0 before.
  [[nodiscard]] int status() const;
  /// A header of the answer by its lower-case name, or an empty text.
  [[nodiscard]] std::string_view header(std::string_view lower_name) const;

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  void on_done(CURLcode code) override;
  [[nodiscard]] Result<std::optional<std::string>> ending() const;
  void set_options();

  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  std::shared_ptr<CurlMulti> multi_;
  HttpRequest request_;
  std::unique_ptr<curl_slist, ListDeleter> header_list_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
  char error_text_[CURL_ERROR_SIZE] = {};
  /// Waited on by read(); cancelled to wake it.
  asio::steady_timer signal_;
  std::map<std::string, std::string, std::less<>> headers_;
  std::string unread_;
  std::size_t received_bytes_ = 0;
  bool is_paused_ = false;
  bool is_too_large_ = false;
  std::string refused_address_;
  std::optional<CURLcode> result_;
  bool is_without_descriptor_ = false;
};

}  // namespace parley::http
