#include "agents/http/curl_multi.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace parley::http {

namespace {

/// libcurl's process-wide state; libcurl wants it set up once, before the first handle.
class CurlGlobal {
 public:
  CurlGlobal() : is_ready_(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
  CurlGlobal(const CurlGlobal&) = delete;
  CurlGlobal& operator=(const CurlGlobal&) = delete;
  ~CurlGlobal() {
    if (is_ready_) curl_global_cleanup();
  }

 private:
  bool is_ready_;
};

CURLM* make_multi() {
  static const CurlGlobal global;
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) throw std::bad_alloc();
  return multi;
}

}  // namespace

/// A socket of libcurl's, lent to Asio for waiting. Two owners: the table, and the waits under way, which may end after
/// libcurl has closed the socket and opened another with the same number.
struct CurlMulti::Socket {
  Socket(asio::io_context& io, curl_socket_t fd) : descriptor(io, fd) {}

  asio::posix::stream_descriptor descriptor;
  int wanted = 0;  ///< CURL_POLL_IN | CURL_POLL_OUT; 0 once libcurl has let go of it
  int waiting = 0;
};

CurlMulti::CurlMulti(Private, asio::io_context& io) : io_(io), multi_(make_multi()), timer_(io) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlMulti::~CurlMulti() {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  // The sockets belong to libcurl, which closes them itself.
  for (const auto& [fd, socket] : sockets_) {
    socket->wanted = 0;
    socket->descriptor.release();
  }
  curl_multi_cleanup(multi_);
}

CURLMcode CurlMulti::add(CURL* easy, CurlListener& listener) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &listener);
  return curl_multi_add_handle(multi_, easy);
}

void CurlMulti::remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

bool CurlMulti::is_out_of_descriptors() {
  const int probe = ::eventfd(0, EFD_CLOEXEC);
  if (probe >= 0) {
    ::close(probe);
    return false;
  }
  if (errno != EMFILE && errno != ENFILE) return false;
  if (!std::exchange(has_warned_, true)) {
    spdlog::warn(
        "event=out_of_descriptors hint=\"raise the hard limit of open files, or let fewer calls run at once\"");
  }
  return true;
}

int CurlMulti::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self, void* /*socket*/) {
  try {
    static_cast<CurlMulti*>(self)->watch(fd, what);
    return 0;
  } catch (const std::exception&) {
    return -1;  // the kernel has no room for another watch: libcurl fails the transfers
  }
}

int CurlMulti::on_timer(CURLM* /*multi*/, long timeout_ms, void* self_pointer) {
  auto& self = *static_cast<CurlMulti*>(self_pointer);
  if (timeout_ms < 0) {
    self.timer_.cancel();
    return 0;
  }
  // libcurl must not be entered from its own callback, so even 0 ms goes through the loop.
  self.timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  self.timer_.async_wait([weak = self.weak_from_this()](const asio::error_code& error) {
    const auto multi = weak.lock();
    if (!error && multi) multi->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlMulti::watch(curl_socket_t fd, int what) {
  const auto found = sockets_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found == sockets_.end()) return;
    found->second->wanted = 0;
    found->second->descriptor.release();
    sockets_.erase(found);
    return;
  }
  const auto& socket =
      found != sockets_.end() ? found->second : sockets_.emplace(fd, std::make_shared<Socket>(io_, fd)).first->second;
  socket->wanted = what;
  wait(socket, CURL_POLL_IN);
  wait(socket, CURL_POLL_OUT);
}

void CurlMulti::wait(const std::shared_ptr<Socket>& socket, int direction) {
  if ((socket->wanted & direction) == 0 || (socket->waiting & direction) != 0) return;
  socket->waiting |= direction;
  const bool is_read = direction == CURL_POLL_IN;
  const auto type = is_read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
  socket->descriptor.async_wait(type, [weak = weak_from_this(), socket, direction](const asio::error_code& error) {
    socket->waiting &= ~direction;
    const auto multi = weak.lock();
    if (error == asio::error::operation_aborted || !multi || (socket->wanted & direction) == 0) return;
    multi->act(socket->descriptor.native_handle(), error ? CURL_CSELECT_ERR : direction);
    multi->wait(socket, direction);
  });
}

void CurlMulti::act(curl_socket_t fd, int events) {
  static_assert(CURL_POLL_IN == CURL_CSELECT_IN && CURL_POLL_OUT == CURL_CSELECT_OUT);
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  report_finished();
}

void CurlMulti::report_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* listener = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &listener);
    // The message is gone after this.
    curl_multi_remove_handle(multi_, easy);
    if (listener != nullptr) reinterpret_cast<CurlListener*>(listener)->on_done(code);
  }
}

}  // namespace parley::http
