// libcurl's multi interface on epoll with nothing around it: what the model client is compared with. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <curl/curl.h>
#include <functional>
#include <string>

namespace parley::bench {

class BareCurl {
 public:
  /// Told when a call has ended; false: no other one shall begin.
  using Finished = std::function<bool(std::chrono::steady_clock::time_point began, bool is_good)>;

  BareCurl(std::string url, std::string body);
  BareCurl(const BareCurl&) = delete;
  BareCurl& operator=(const BareCurl&) = delete;
  ~BareCurl();

  /// Keeps so many calls in flight until `finished` says no, and ends the last ones.
  void run(std::uint32_t calls, const Finished& finished);

 private:
  struct Call;

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  void begin();
  void end_finished(const Finished& finished);

  std::string url_;
  std::string body_;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  int epoll_;
  int running_ = 0;
  bool is_timer_set_ = false;
  std::chrono::steady_clock::time_point timer_;
};

}  // namespace parley::bench
