#include "monitoring/http_request.hpp"

#include <algorithm>

namespace parley::monitoring {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter > 0x20 && letter < 0x7F; });
}

}  // namespace

std::string HttpResponse::encode(std::string_view method) const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
  text += "Content-Type: " + content_type + "\r\n";
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (status == 405) text += "Allow: GET, HEAD\r\n";
  text += "Connection: close\r\n\r\n";
  if (method != "HEAD") text += body;
  return text;
}

HttpParse parse_http_request(std::string_view received) {
  using Status = HttpParse::Status;
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return {received.size() > kMaxRequestBytes ? Status::too_large : Status::incomplete, {}};
  }
  if (end > kMaxRequestBytes) return {Status::too_large, {}};
  const std::string_view line = received.substr(0, received.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = line.rfind(' ');
  if (first == std::string_view::npos || second <= first + 1) return {Status::invalid, {}};
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const bool is_http = line.substr(second + 1).starts_with("HTTP/1.");
  if (method.empty() || !is_http || !target.starts_with('/') || !is_printable(target)) return {Status::invalid, {}};
  return {Status::complete, {std::string(method), std::string(target.substr(0, target.find('?')))}};
}

}  // namespace parley::monitoring
