// libcurl's multi interface on an Asio loop: any number of transfers, no thread, no blocking call. One for each loop,
// shared by all models on it, so that connections are reused. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <curl/curl.h>
#include <memory>
#include <unordered_map>

namespace parley::http {

/// Told once when libcurl is through with a handle; not called for a handle that is removed before.
class CurlListener {
 public:
  virtual void on_done(CURLcode code) = 0;

 protected:
  ~CurlListener() = default;
};

/// Shared by the models and the transfers under way: whichever ends last closes the connections.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
  struct Private {};

 public:
  /// `io` must outlive the object.
  static std::shared_ptr<CurlMulti> make(asio::io_context& io) { return std::make_shared<CurlMulti>(Private(), io); }
  CurlMulti(Private, asio::io_context& io);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  /// Starts the transfer; the listener must stay until on_done or remove(). Takes the handle's CURLOPT_PRIVATE.
  CURLMcode add(CURL* easy, CurlListener& listener);
  /// Aborts the transfer. Must not be called inside a callback of libcurl.
  void remove(CURL* easy);
  [[nodiscard]] asio::io_context& io() { return io_; }
  /// Why a transfer may have failed, which libcurl does not tell: the process cannot open anything. Logged once.
  [[nodiscard]] bool is_out_of_descriptors();

 private:
  struct Socket;

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  void watch(curl_socket_t fd, int what);
  void wait(const std::shared_ptr<Socket>& socket, int direction);
  void act(curl_socket_t fd, int events);
  void report_finished();

  asio::io_context& io_;
  CURLM* multi_;
  asio::steady_timer timer_;
  bool has_warned_ = false;
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
};

}  // namespace parley::http
