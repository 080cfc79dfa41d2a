// What the `http` tool visits and what a model reads of it.
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "agents/http/address.hpp"
#include "agents/http/curl_multi.hpp"
#include "agents/tools/html_text.hpp"
#include "agents/tools/http_tool.hpp"
#include "agents/tools/web_rules.hpp"
#include "tests/support/stub_model_server.hpp"
#include "tests/unit/tools/tools_fixture.hpp"

namespace parley::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

bool is_public(const char* text) {
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text, &six->sin6_addr), 1) << text;
    six->sin6_family = AF_INET6;
  }
  return http::is_public_address(*reinterpret_cast<sockaddr*>(&storage));
}

TEST(PublicAddress, is_none_that_leads_inside) {
  for (const char* inside : {"0.0.0.0",
                             "10.1.2.3",
                             "100.64.0.1",
                             "127.0.0.1",
                             "127.255.255.255",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "198.18.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "64:ff9b::7f00:1",
                             "2002:7f00:1::",
                             "fc00::1",
                             "fd12::1",
                             "fe80::1",
                             "ff02::1",
                             "2001:db8::1",
                             "2001::1"}) {
    EXPECT_FALSE(is_public(inside)) << inside;
  }
  for (const char* outside : {"1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.169.0.1", "2606:4700::1111",
                              "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00:1450::1"}) {
    EXPECT_TRUE(is_public(outside)) << outside;
  }
}

http::WebUrl url(const char* text) {
  Result<http::WebUrl> parsed = http::parse_web_url(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(http::WebUrl{});
}

TEST(WebUrl, is_read_as_curl_reads_it_and_is_of_the_web) {
  EXPECT_EQ(url("HTTP://Example.ORG./a b#x").host, "example.org");
  EXPECT_EQ(url("https://[::1]:8443/").host, "::1");
  EXPECT_EQ(url("https://example.org/").port, 443);
  for (const char* bad : {"ftp://example.org/", "file:///etc/passwd", "example.org", "http://user:pw@example.org/", "",
                          "http://", "gopher://x/", "http:// /"}) {
    EXPECT_FALSE(http::parse_web_url(bad)) << bad;
  }
  EXPECT_EQ(http::resolve_web_url(url("https://example.org/a/b"), "../c?d=1")->text, "https://example.org/c?d=1");
  EXPECT_EQ(http::resolve_web_url(url("https://example.org/a"), "//evil.test/x")->host, "evil.test");
  EXPECT_FALSE(http::resolve_web_url(url("https://example.org/a"), "javascript:alert(1)"));
}

bool is_allowed(std::vector<std::string> hosts, const char* text) {
  WebRules rules;
  for (const std::string& host : hosts) rules.hosts.push_back(HostRule::parse(host).value());
  return rules.check(url(text)).has_value();
}

TEST(WebRules, match_hosts_exactly_or_below_a_domain_with_their_ports) {
  EXPECT_TRUE(is_allowed({"example.org"}, "https://EXAMPLE.org/x"));
  EXPECT_FALSE(is_allowed({"example.org"}, "https://www.example.org/"));
  EXPECT_FALSE(is_allowed({"example.org"}, "https://badexample.org/"));
  EXPECT_TRUE(is_allowed({"*.example.org"}, "https://a.b.example.org/"));
  EXPECT_FALSE(is_allowed({"*.example.org"}, "https://example.org/"));
  EXPECT_FALSE(is_allowed({"*.example.org"}, "https://badexample.org/"));
  EXPECT_FALSE(is_allowed({"example.org"}, "https://example.org:8443/"));
  EXPECT_TRUE(is_allowed({"example.org:8443"}, "https://example.org:8443/"));
  EXPECT_TRUE(is_allowed({"example.org:*"}, "http://example.org:1/"));
  EXPECT_TRUE(is_allowed({"*"}, "http://anything.test/"));
  EXPECT_TRUE(is_allowed({"[::1]:80"}, "http://[::1]/"));
  for (const char* bad : {"", "http://x", "a b", "x:99999", "x:0", "*.", "x/y", "a*"}) {
    EXPECT_FALSE(HostRule::parse(bad)) << bad;
  }
}

TEST(HtmlText, keeps_what_people_read) {
  const std::string page = html_text(
      "<!DOCTYPE html><html><head><title>Bees &amp; co</title><style>p{}</style><script>if (a<b) x('</p>')</script>"
      "</head><body><h1>Bees</h1><p>They   make\n<b>honey</b>.<br>Really.</p><ul><li>one<li>two</ul>"
      "<table><tr><th>a<th>b<tr><td>1</td><td>2</td></tr></table><!-- <p>hidden</p> --><a href=\"/w\">wasps</a> "
      "&#8364; "
      "1 < 2 <img alt='a bee'></body>",
      [](std::string_view href) { return "https://x.test" + std::string(href); });
  EXPECT_EQ(page,
            "Title: Bees & co\n\n# Bees\n\nThey make honey.\nReally.\n\n- one\n- two\na | b\n1 | 2\n"
            "[wasps](https://x.test/w) € 1 < 2 a bee\n");
}

TEST(HtmlText, gets_through_whatever_is_broken) {
  for (const char* broken : {"<", "<p", "<a href=", "<a href='x", "</", "<!--", "<script>", "&", "&#;", "&#x110000;",
                             "<p <p <p", "<a b='>' c=\">\">x", "<\0>"}) {
    EXPECT_LT(html_text(broken).size(), 50U) << broken;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<div><a href=x>";
  EXPECT_LT(html_text(deep + "end").size(), 100U);
  EXPECT_EQ(html_text("<a href=1 href=2>t</a>", [](std::string_view href) { return std::string(href); }), "[t](1)\n");
}

struct HttpToolTest : ToolsFixture {
  HttpToolTest() { options.name = "web"; }

  void use_web(bool is_private_allowed = true) {
    const std::string rule = "127.0.0.1:" + std::to_string(server.port());
    (is_private_allowed ? options.rules.private_hosts : options.rules.hosts).push_back(HostRule::parse(rule).value());
    use(ToolBox({{std::make_shared<HttpTool>(options, http::CurlMulti::make(io)), {}}}));
  }
  Result<ToolResult> get(const std::string& path) {
    return run_real("web", R"({"url":"http://127.0.0.1:)" + std::to_string(server.port()) + path + "\"}");
  }
  /// The network knows no virtual time: the loop just runs.
  Result<ToolResult> run_real(const std::string& tool, const std::string& arguments) {
    const ToolCall call{"c", tool, arguments};
    return test::run_task(io, runtime.client().request<ToolResult>(*AgentId::parse("user/1"), call));
  }
  static test::StubReply page(std::string body, std::string type = "text/html") {
    test::StubReply reply;
    reply.raw_body = std::move(body);
    reply.content_type = std::move(type);
    return reply;
  }
  static test::StubReply moved(std::string to, int status = 302) {
    test::StubReply reply = page("x");
    reply.status = status;
    reply.headers.emplace_back("Location", std::move(to));
    return reply;
  }

  test::StubModelServer server{io};
  HttpToolOptions options;
};

TEST_F(HttpToolTest, gives_a_page_as_text_with_its_status_and_address) {
  use_web();
  server.push(page("<p>Hello <b>you</b></p>"));
  const auto result = get("/a");
  EXPECT_THAT(result->content, HasSubstr("HTTP 200 http://127.0.0.1:"));
  EXPECT_THAT(result->content, HasSubstr("/a\n\nHello you\n"));
}

TEST_F(HttpToolTest, refuses_an_address_inside_although_its_host_is_allowed) {
  use_web(false);
  const auto result = get("/");
  EXPECT_TRUE(result->is_error);
  EXPECT_THAT(result->content, HasSubstr("unauthorized: 127.0.0.1: the address 127.0.0.1 is not allowed"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpToolTest, refuses_hosts_that_are_not_on_the_list_also_behind_a_redirect) {
  use_web();
  EXPECT_THAT(run_real("web", R"({"url":"http://other.test/"})")->content, HasSubstr("'other.test:80' is not allowed"));
  server.push(moved("http://127.0.0.1:1/"));
  EXPECT_THAT(get("/")->content, HasSubstr("'127.0.0.1:1' is not allowed"));
}

TEST_F(HttpToolTest, follows_redirects_up_to_a_limit) {
  options.max_redirects = 2;
  use_web();
  server.push(moved("/b"));
  server.push(moved("c"));
  server.push(page("there", "text/plain"));
  EXPECT_THAT(get("/a")->content, HasSubstr("/c\n\nthere"));
  server.set_default(moved("/again"));
  EXPECT_THAT(get("/a")->content, HasSubstr("more than 2 redirects"));
}

TEST_F(HttpToolTest, cuts_a_large_answer_and_does_not_show_what_is_no_text) {
  options.max_response_bytes = 2000;
  use_web();
  server.push(page(std::string(100'000, 'x'), "text/plain"));
  const auto large = get("/");
  EXPECT_TRUE(large->is_truncated);
  EXPECT_LT(large->content.size(), 2300U);
  server.push(page("\x89PNG", "image/png"));
  EXPECT_THAT(get("/")->content, HasSubstr("[4 bytes of image/png, which is no text]"));
}

TEST_F(HttpToolTest, sends_a_secret_to_its_host_only_and_never_shows_it) {
  options.credentials.push_back(
      {HostRule::parse("127.0.0.1:" + std::to_string(server.port())).value(), "X-Key", "", "s3cr3t-value"});
  options.credentials.push_back({HostRule::parse("other.test").value(), "X-Other", "", "unrelated-secret"});
  use_web();
  server.push(page("you sent s3cr3t-value", "text/plain"));
  EXPECT_THAT(get("/")->content, HasSubstr("you sent ***"));
  EXPECT_EQ(server.requests().at(0).header("x-key"), "s3cr3t-value");
  EXPECT_EQ(server.requests().at(0).header("x-other"), "");
}

TEST_F(HttpToolTest, takes_only_the_methods_that_are_allowed) {
  options.methods = {"GET", "POST"};
  use_web();
  server.set_default(page("ok", "text/plain"));
  const std::string start = R"({"url":"http://127.0.0.1:)" + std::to_string(server.port()) + R"(/","method":)";
  EXPECT_FALSE(run_real("web", start + R"("POST","body":"{}"})")->is_error);
  EXPECT_EQ(server.requests().at(0).method, "POST");
  EXPECT_EQ(server.requests().at(0).body, "{}");
  EXPECT_TRUE(run_real("web", start + R"("DELETE"})")->is_error);
  EXPECT_TRUE(run_real("web", start + R"("GET","body":"x"})")->is_error);
}

}  // namespace
}  // namespace parley::tools
