// The little of HTTP/1.1 that a health page needs: the head of a request, and a whole response. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace parley::monitoring {

inline constexpr std::size_t kMaxRequestBytes = 8192;

struct HttpRequest {
  std::string method;
  std::string path;  ///< without the query
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;

  /// The bytes to send; the connection is closed after them. The answer to HEAD has no body.
  [[nodiscard]] std::string encode(std::string_view method) const;
};

/// What the bytes received so far are.
struct HttpParse {
  enum class Status { incomplete, complete, invalid, too_large };
  Status status = Status::incomplete;
  HttpRequest request;  ///< when complete
};

/// Looks at everything received on a connection. A request is complete at the empty line that ends its head.
[[nodiscard]] HttpParse parse_http_request(std::string_view received);

}  // namespace parley::monitoring
