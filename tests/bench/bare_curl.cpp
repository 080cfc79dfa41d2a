#include "tests/bench/bare_curl.hpp"

#include <algorithm>
#include <array>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace parley::bench {

using SteadyClock = std::chrono::steady_clock;

struct BareCurl::Call {
  SteadyClock::time_point began = SteadyClock::now();
  std::string answer;

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    static_cast<Call*>(self)->answer.append(data, size * count);
    return size * count;
  }
};

BareCurl::BareCurl(std::string url, std::string body)
    : url_(std::move(url)), body_(std::move(body)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &BareCurl::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &BareCurl::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  headers_ = curl_slist_append(headers_, "Content-Type: application/json");
}

BareCurl::~BareCurl() {
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
  close(epoll_);
}

int BareCurl::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self_pointer, void* known) {
  auto& self = *static_cast<BareCurl*>(self_pointer);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(self.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = 0;
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.fd = fd;
  epoll_ctl(self.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  curl_multi_assign(self.multi_, fd, &self);
  return 0;
}

int BareCurl::on_timer(CURLM* /*multi*/, long timeout_ms, void* self_pointer) {
  auto& self = *static_cast<BareCurl*>(self_pointer);
  self.is_timer_set_ = timeout_ms >= 0;
  self.timer_ = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

void BareCurl::begin() {
  CURL* easy = curl_easy_init();
  auto* call = new Call;
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body_.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Call::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_multi_add_handle(multi_, easy);
  ++running_;
}

void BareCurl::end_finished(const Finished& finished) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    char* pointer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
    auto* call = reinterpret_cast<Call*>(pointer);
    const bool is_good = message->data.result == CURLE_OK && call->answer.ends_with("data: [DONE]\n\n");
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    --running_;
    if (finished(call->began, is_good)) begin();
    delete call;
  }
}

void BareCurl::run(std::uint32_t calls, const Finished& finished) {
  for (std::uint32_t i = 0; i < calls; ++i) begin();
  std::array<epoll_event, 256> events{};
  int running = 0;
  while (running_ > 0) {
    int wait_ms = 1000;
    if (is_timer_set_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(timer_ - SteadyClock::now());
      wait_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    if (is_timer_set_ && SteadyClock::now() >= timer_) {
      is_timer_set_ = false;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      int action = 0;
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) action |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
      curl_multi_socket_action(multi_, event.data.fd, action, &running);
    }
    end_finished(finished);
  }
}

}  // namespace parley::bench
