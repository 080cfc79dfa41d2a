#include "libmsg/net/endpoint.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace parley::net {
namespace {

constexpr std::size_t kMaxIpcPathBytes = sizeof(sockaddr_un::sun_path) - 1;

std::unexpected<Error> bad(std::string_view text, const std::string& why) {
  return fail(ErrorCode::bad_configuration, "endpoint '" + std::string(text) + "': " + why);
}

std::optional<std::string_view> without_prefix(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24U) == 127;
}

Result<Endpoint> parse_ipc(std::string_view text, std::string_view path, Reach reach) {
  if (path.starts_with('@') && reach == Reach::this_machine) {
    return bad(text, "an abstract socket is open to every user; use ipc:///absolute/path");
  }
  if (!path.starts_with('/') && !path.starts_with('@')) return bad(text, "expected ipc:///absolute/path");
  if (path.size() > kMaxIpcPathBytes) {
    return bad(text, "the path is longer than " + std::to_string(kMaxIpcPathBytes) +
                         " bytes, the system's limit for sockets; use a shorter directory");
  }
  return Endpoint{.transport = Endpoint::Transport::ipc, .host = std::string(path), .port = {}};
}

Result<Endpoint> parse_tcp(std::string_view text, std::string_view rest, Reach reach) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad(text, "expected tcp://host:port");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Endpoint endpoint{.transport = Endpoint::Transport::tcp, .host = std::string(host), .port = std::string(port)};
  if (port == "*" || port == "0") {
    endpoint.port.clear();
  } else {
    unsigned number = 0;
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || number == 0 || number > 65535) {
      return bad(text, "the port must be a number from 1 to 65535, or * for any");
    }
  }
  if (reach == Reach::this_machine && !is_loopback(endpoint.host)) {
    return bad(text,
               "reaches beyond this machine, and nothing is encrypted yet; use 127.0.0.1 or ipc, or --insecure on a "
               "network that you trust");
  }
  return endpoint;
}

/// Fails when others could put a socket of their own in the place of ours.
Result<> check_private(const std::string& directory, const std::string& endpoint) {
  struct stat info{};
  if (lstat(directory.c_str(), &info) != 0) return {};
  if (!S_ISDIR(info.st_mode)) return bad(endpoint, directory + " is not a directory");
  if (info.st_uid != geteuid() && info.st_uid != 0) return bad(endpoint, directory + " belongs to another user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return bad(endpoint, "others may write to " + directory + "; chmod 700 it, or use another directory");
  }
  return {};
}

std::string directory_of(const Endpoint& endpoint) {
  return std::filesystem::path(endpoint.host).parent_path().string();
}

bool has_directory(const Endpoint& endpoint) {
  return endpoint.transport == Endpoint::Transport::ipc && !endpoint.host.starts_with('@');
}

}  // namespace

bool Endpoint::is_on_this_machine() const { return transport == Transport::ipc || is_loopback(host); }

std::string Endpoint::zmq_address() const {
  if (transport == Transport::ipc) return "ipc://" + host;
  const std::string address = host == "localhost" ? "127.0.0.1" : is_ipv6() ? "[" + host + "]" : host;
  return "tcp://" + address + ":" + (port.empty() ? "*" : port);
}

Result<Endpoint> parse_endpoint(std::string_view text, Reach reach) {
  if (const auto path = without_prefix(text, "ipc://")) return parse_ipc(text, *path, reach);
  if (const auto rest = without_prefix(text, "tcp://")) return parse_tcp(text, *rest, reach);
  return bad(text, "expected ipc:///absolute/path or tcp://host:port");
}

std::string default_endpoint() {
  const char* const runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  if (runtime_dir != nullptr && *runtime_dir == '/') return "ipc://" + std::string(runtime_dir) + "/parley/broker.sock";
  return "ipc:///tmp/parley-" + std::to_string(geteuid()) + "/broker.sock";
}

Result<> check_ipc_directory(const Endpoint& endpoint) {
  if (!has_directory(endpoint)) return {};
  return check_private(directory_of(endpoint), "ipc://" + endpoint.host);
}

Result<> prepare_ipc_directory(const Endpoint& endpoint) {
  if (!has_directory(endpoint)) return {};
  const std::string directory = directory_of(endpoint);
  if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return bad("ipc://" + endpoint.host, "cannot create " + directory + ": " + std::strerror(errno));
  }
  return check_private(directory, "ipc://" + endpoint.host);
}

}  // namespace parley::net
