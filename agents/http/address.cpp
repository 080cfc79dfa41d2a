#include "agents/http/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>

namespace parley::http {

namespace {

struct Range4 {
  std::uint32_t first;
  unsigned bits;
};

constexpr std::uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24U | b << 16U | c << 8U | d;
}

constexpr std::array<Range4, 16> kSpecial4{{{ip4(0, 0, 0, 0), 8},
                                            {ip4(10, 0, 0, 0), 8},
                                            {ip4(100, 64, 0, 0), 10},
                                            {ip4(127, 0, 0, 0), 8},
                                            {ip4(169, 254, 0, 0), 16},
                                            {ip4(172, 16, 0, 0), 12},
                                            {ip4(192, 0, 0, 0), 24},
                                            {ip4(192, 0, 2, 0), 24},
                                            {ip4(192, 31, 196, 0), 24},
                                            {ip4(192, 88, 99, 0), 24},
                                            {ip4(192, 168, 0, 0), 16},
                                            {ip4(198, 18, 0, 0), 15},
                                            {ip4(198, 51, 100, 0), 24},
                                            {ip4(203, 0, 113, 0), 24},
                                            {ip4(224, 0, 0, 0), 4},
                                            {ip4(240, 0, 0, 0), 4}}};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(
      kSpecial4, [address](const Range4& range) { return (address ^ range.first) >> (32 - range.bits) == 0; });
}

using Bytes16 = std::array<std::uint8_t, 16>;

std::uint32_t embedded4(const Bytes16& bytes, std::size_t at) {
  return ip4(bytes.at(at), bytes.at(at + 1), bytes.at(at + 2), bytes.at(at + 3));
}

bool begins(const Bytes16& bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public6(const Bytes16& bytes) {
  const bool is_mapped = std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) &&
                         bytes[10] == 0xFF && bytes[11] == 0xFF;
  if (is_mapped) return is_public4(embedded4(bytes, 12));
  if (begins(bytes, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0}))
    return is_public4(embedded4(bytes, 12));                                // NAT64
  if (begins(bytes, {0x20, 0x02})) return is_public4(embedded4(bytes, 2));  // 6to4
  // Only 2000::/3 is in use as global unicast; of that, protocol assignments (with Teredo) and documentation are not.
  if ((bytes[0] & 0xE0U) != 0x20U) return false;
  const bool is_assignment = begins(bytes, {0x20, 0x01}) && bytes[2] < 0x02;  // 2001::/23
  return !is_assignment && !begins(bytes, {0x20, 0x01, 0x0D, 0xB8}) && !begins(bytes, {0x3F, 0xFF});
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    Bytes16 bytes{};
    std::memcpy(bytes.data(), in.sin6_addr.s6_addr, bytes.size());
    return is_public6(bytes);
  }
  return false;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace parley::http
