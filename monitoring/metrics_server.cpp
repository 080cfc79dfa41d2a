#include "monitoring/metrics_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <netinet/in.h>
#include <poll.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "monitoring/http_request.hpp"

namespace parley::monitoring {
namespace {

constexpr std::size_t kMaxConnections = 32;
constexpr auto kConnectionTime = std::chrono::seconds(5);

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

struct Connection {
  FileDescriptor socket;
  TimePoint deadline;
  std::string received;
  std::string to_send;
  std::size_t sent = 0;

  [[nodiscard]] bool is_answering() const { return !to_send.empty(); }
};

Error bind_error(const MetricsServerOptions& options) {
  return {ErrorCode::bad_configuration, "the metrics page cannot listen on " + options.address + ":" +
                                            std::to_string(options.port) + ": " + std::strerror(errno) +
                                            " (try another --metrics-port, or 0 to choose a free one)"};
}

Result<sockaddr_in> address_of(const MetricsServerOptions& options) {
  constexpr std::uint32_t kLoopbackNet = 127;
  constexpr unsigned kHostBits = 24;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) {
    return fail(ErrorCode::bad_configuration,
                "the metrics page needs an IPv4 address, and got '" + options.address + "'");
  }
  const bool is_loopback = ntohl(address.sin_addr.s_addr) >> kHostBits == kLoopbackNet;
  if (!is_loopback && !options.is_insecure_allowed) {
    return fail(ErrorCode::bad_configuration,
                "the metrics page at " + options.address +
                    " reaches beyond this machine, and nothing is encrypted; use 127.0.0.1, or --insecure on a network "
                    "that you trust");
  }
  return address;
}

Result<FileDescriptor> listen_on(const MetricsServerOptions& options) {
  const Result<sockaddr_in> address = address_of(options);
  if (!address) return fail(address.error());
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!listener.is_open() || ::setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener.number(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(listener.number(), 64) != 0) {
    return fail(bind_error(options));
  }
  return listener;
}

std::uint16_t port_of(const FileDescriptor& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener.number(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

HttpResponse health(const HealthProbe& probe) {
  const std::string reason = probe ? probe() : std::string();
  if (reason.empty()) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8", reason + "\n"};
}

}  // namespace

Result<> check_address(const MetricsServerOptions& options) {
  const Result<sockaddr_in> address = address_of(options);
  if (!address) return fail(address.error());
  return {};
}

class MetricsServer::Impl {
 public:
  Impl(MetricsServerOptions options, std::vector<const prometheus::Collectable*> sources, const Clock& clock,
       FileDescriptor listener, FileDescriptor wakeup)
      : options_(std::move(options)),
        sources_(std::move(sources)),
        clock_(clock),
        listener_(std::move(listener)),
        wakeup_(std::move(wakeup)),
        port_(port_of(listener_)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    thread_.request_stop();
    const std::uint64_t one = 1;
    // Cannot fail: the counter of an eventfd is far from full.
    if (::write(wakeup_.number(), &one, sizeof one) < 0) std::terminate();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> polled;
      polled.push_back({wakeup_.number(), POLLIN, 0});
      // Over the bound new connections wait in the kernel's backlog.
      polled.push_back({connections_.size() < kMaxConnections ? listener_.number() : -1, POLLIN, 0});
      for (const Connection& connection : connections_) {
        const short events = connection.is_answering() ? POLLOUT : POLLIN;
        polled.push_back({connection.socket.number(), events, 0});
      }
      ::poll(polled.data(), polled.size(), wait_ms());
      serve(polled);
      if ((polled[1].revents & POLLIN) != 0) accept_all();
    }
  }

  [[nodiscard]] int wait_ms() const {
    if (connections_.empty()) return -1;
    const auto next = std::ranges::min_element(connections_, {}, &Connection::deadline)->deadline;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void serve(const std::vector<pollfd>& polled) {
    const TimePoint now = clock_.now();
    std::vector<Connection> kept;
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = connections_[i];
      const bool is_ready = polled[i + 2].revents != 0;
      const bool goes_on = !is_ready || (connection.is_answering() ? send_more(connection) : receive(connection));
      if (goes_on && connection.deadline > now) kept.push_back(std::move(connection));
    }
    connections_ = std::move(kept);
  }

  void accept_all() {
    while (connections_.size() < kMaxConnections) {
      FileDescriptor socket(::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.is_open()) return;
      connections_.push_back({std::move(socket), clock_.now() + kConnectionTime, {}, {}, 0});
    }
  }

  /// False when the connection is done.
  bool receive(Connection& connection) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(connection.socket.number(), buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    connection.received.append(buffer.data(), static_cast<std::size_t>(count));
    const HttpParse parsed = parse_http_request(connection.received);
    if (parsed.status == HttpParse::Status::incomplete) return true;
    connection.to_send = answer(parsed).encode(parsed.request.method);
    return send_more(connection);
  }

  static bool send_more(Connection& connection) {
    const char* rest = connection.to_send.data() + connection.sent;
    const std::size_t left = connection.to_send.size() - connection.sent;
    const ssize_t count = ::send(connection.socket.number(), rest, left, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<std::size_t>(count);
    return connection.sent < connection.to_send.size();
  }

  [[nodiscard]] HttpResponse answer(const HttpParse& parsed) const {
    const std::string plain = "text/plain; charset=utf-8";
    if (parsed.status == HttpParse::Status::too_large) return {431, plain, "the request is too large\n"};
    if (parsed.status != HttpParse::Status::complete) return {400, plain, "this is not an HTTP/1.1 request\n"};
    const std::string& method = parsed.request.method;
    if (method != "GET" && method != "HEAD") return {405, plain, "GET and HEAD only\n"};
    if (parsed.request.path == "/metrics") return metrics();
    if (parsed.request.path == "/livez") return health(options_.is_live);
    if (parsed.request.path == "/readyz") return health(options_.is_ready);
    return {404, plain, "there are /metrics, /livez and /readyz\n"};
  }

  [[nodiscard]] HttpResponse metrics() const {
    std::ostringstream out;
    const prometheus::TextSerializer serializer;
    for (const prometheus::Collectable* source : sources_) serializer.Serialize(out, source->Collect());
    return {200, "text/plain; version=0.0.4; charset=utf-8", out.str()};
  }

  MetricsServerOptions options_;
  std::vector<const prometheus::Collectable*> sources_;
  const Clock& clock_;
  FileDescriptor listener_;
  FileDescriptor wakeup_;
  std::uint16_t port_;
  std::vector<Connection> connections_;  ///< server thread only
  std::jthread thread_;                  ///< last, so that it ends before what it uses
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(MetricsServerOptions options,
                                                            std::vector<const prometheus::Collectable*> sources,
                                                            const Clock& clock) {
  Result<FileDescriptor> listener = listen_on(options);
  if (!listener) return fail(std::move(listener).error());
  FileDescriptor wakeup(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wakeup.is_open()) return fail(bind_error(options));
  return std::unique_ptr<MetricsServer>(new MetricsServer(
      std::make_unique<Impl>(std::move(options), std::move(sources), clock, std::move(*listener), std::move(wakeup))));
}

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

std::uint16_t MetricsServer::port() const { return impl_->port(); }

}  // namespace parley::monitoring
