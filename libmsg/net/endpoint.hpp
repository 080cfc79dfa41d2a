// Where brokers listen and peers connect, and the rule that keeps an unencrypted bus on one machine: loopback TCP or an
// ipc socket in a directory that only its owner may enter. Pure but for the two functions that say so; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::net {

/// How far an endpoint may reach while nothing is encrypted.
enum class Reach : std::uint8_t { this_machine, anywhere };

struct Endpoint {
  enum class Transport : std::uint8_t { ipc, tcp };
  Transport transport = Transport::ipc;
  /// ipc: the socket file's path. tcp: the host as written, without brackets.
  std::string host;
  /// tcp only; empty means that the system chooses (written `*` or `0`).
  std::string port;

  /// As libzmq wants it: names become addresses, since it binds addresses only.
  [[nodiscard]] std::string zmq_address() const;
  /// True for ipc and loopback addresses.
  [[nodiscard]] bool is_on_this_machine() const;
  [[nodiscard]] bool is_ipv6() const { return transport == Transport::tcp && host.find(':') != std::string::npos; }
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Reads `ipc:///absolute/path` or `tcp://host:port`. Fails with `bad_configuration` when it is neither, or reaches
/// farther than `reach` allows; the message says what to try.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, Reach reach);

/// `ipc://$XDG_RUNTIME_DIR/parley/broker.sock`, or `ipc:///tmp/parley-<uid>/broker.sock` without that variable. Reads
/// the environment.
[[nodiscard]] std::string default_endpoint();

/// Makes sure that the directory of an ipc socket exists and that nobody else may enter it; creates it with mode 0700.
/// Fails with `bad_configuration` when it belongs to another user or is open to others. Touches the file system.
[[nodiscard]] Result<> prepare_ipc_directory(const Endpoint& endpoint);

/// Refuses, with `bad_configuration`, an ipc socket in a directory of another user: a peer would hand its messages to a
/// stranger. A directory that does not exist yet is fine. Touches the file system.
[[nodiscard]] Result<> check_ipc_directory(const Endpoint& endpoint);

}  // namespace parley::net
