// Which network addresses belong to the public internet (IANA's special-purpose registries, RFC 6890). Pure; any
// thread.
#pragma once

#include <span>
#include <string>
#include <sys/socket.h>

namespace parley::http {

/// False for loopback, private, link-local, shared, multicast, documentation and reserved addresses, for IPv6 forms
/// that carry such an IPv4 address, and for everything that is no IP address.
[[nodiscard]] bool is_public_address(const sockaddr& address);

/// For messages: `10.0.0.1`, `::1`.
[[nodiscard]] std::string address_text(const sockaddr& address);

}  // namespace parley::http
