#include "monitoring/http_request.hpp"

#include <gtest/gtest.h>

namespace parley::monitoring {
namespace {

using Status = HttpParse::Status;

TEST(HttpRequest, is_incomplete_until_the_empty_line) {
  EXPECT_EQ(parse_http_request("").status, Status::incomplete);
  EXPECT_EQ(parse_http_request("GET /metrics HTTP/1.1\r\nHost: x\r\n").status, Status::incomplete);
}

TEST(HttpRequest, has_a_method_and_a_path_without_the_query) {
  const HttpParse parsed = parse_http_request("GET /metrics?name=x HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(parsed.status, Status::complete);
  EXPECT_EQ(parsed.request.method, "GET");
  EXPECT_EQ(parsed.request.path, "/metrics");
}

TEST(HttpRequest, that_is_not_http_is_invalid) {
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
        "GET / SPDY/3\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(parse_http_request(text).status, Status::invalid) << text;
  }
}

TEST(HttpRequest, that_never_ends_is_too_large) {
  EXPECT_EQ(parse_http_request(std::string(kMaxRequestBytes + 1, 'a')).status, Status::too_large);
  EXPECT_EQ(parse_http_request("GET / HTTP/1.1\r\nX: " + std::string(kMaxRequestBytes, 'a') + "\r\n\r\n").status,
            Status::too_large);
}

TEST(HttpResponse, to_head_has_the_length_but_no_body) {
  const std::string text = HttpResponse{200, "text/plain", "hello"}.encode("HEAD");
  EXPECT_NE(text.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(HttpResponse, to_a_wrong_method_says_what_is_allowed) {
  EXPECT_NE((HttpResponse{405, "text/plain", ""}.encode("POST").find("Allow: GET, HEAD\r\n")), std::string::npos);
}

}  // namespace
}  // namespace parley::monitoring
