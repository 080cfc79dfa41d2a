// Over real sockets on a free loopback port; waits end with the data, not with time.
#include "monitoring/metrics_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "monitoring/number_board.hpp"

namespace parley::monitoring {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Number {
  std::string name;
  std::uint64_t value;
};

/// A client socket, connected to the server.
class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { ::close(socket_); }

  void say(const std::string& text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Everything until the server closes.
  [[nodiscard]] std::string hear() const {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int socket_;
};

struct MetricsServerTest : testing::Test {
  std::string get(const std::string& path) const {
    const TestClient client(server->port());
    client.say("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client.hear();
  }

  void start(MetricsServerOptions options = {}) {
    auto started = MetricsServer::start(std::move(options), {&board}, clock);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }

  SystemClock clock;
  NumberBoard board;
  std::unique_ptr<MetricsServer> server;
};

TEST_F(MetricsServerTest, serves_the_sources_as_prometheus_text) {
  board.post(std::vector<Number>{{"parley_broker_requests_total", 42}, {"parley_broker_sessions", 3}});
  start();
  const std::string page = get("/metrics");
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE parley_broker_requests_total counter\nparley_broker_requests_total 42\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE parley_broker_sessions gauge\nparley_broker_sessions 3\n"));
  EXPECT_THAT(page, HasSubstr("# HELP parley_broker_requests_total Requests taken from peers."));
}

TEST_F(MetricsServerTest, turns_labels_in_a_name_into_labels_of_one_metric) {
  board.post(std::vector<Number>{{"x_total{code=\"timeout\"}", 1}, {"x_total{code=\"invalid\"}", 2}});
  start();
  const std::string page = get("/metrics");
  EXPECT_THAT(page, HasSubstr("# TYPE x_total counter\nx_total{code=\"timeout\"} 1\nx_total{code=\"invalid\"} 2\n"));
}

TEST_F(MetricsServerTest, is_healthy_without_probes) {
  start();
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(MetricsServerTest, answers_503_with_the_reason_of_a_failing_probe) {
  MetricsServerOptions options;
  options.is_live = [] { return std::string("the loop is stuck"); };
  options.is_ready = [] { return std::string("no broker"); };
  start(std::move(options));
  EXPECT_THAT(get("/livez"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("the loop is stuck\n")));
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("no broker\n")));
}

TEST_F(MetricsServerTest, names_its_pages_when_asked_for_another) {
  start();
  EXPECT_THAT(get("/"), AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("/metrics, /livez and /readyz")));
}

TEST_F(MetricsServerTest, refuses_other_methods_and_what_is_not_http) {
  start();
  const TestClient post(server->port());
  post.say("POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(post.hear(), StartsWith("HTTP/1.1 405 "));
  const TestClient nonsense(server->port());
  nonsense.say("hello\r\n\r\n");
  EXPECT_THAT(nonsense.hear(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(MetricsServerTest, refuses_a_request_that_does_not_end) {
  start();
  const TestClient client(server->port());
  client.say("GET /metrics HTTP/1.1\r\nX: " + std::string(10'000, 'x'));
  EXPECT_THAT(client.hear(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(MetricsServerTest, serves_others_while_one_client_says_nothing) {
  start();
  const TestClient silent(server->port());
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(MetricsServerTest, says_which_port_is_taken) {
  start();
  MetricsServerOptions options;
  options.port = server->port();
  const auto second = MetricsServer::start(std::move(options), {&board}, clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(second.error().message, HasSubstr("127.0.0.1:" + std::to_string(server->port())));
}

TEST_F(MetricsServerTest, leaves_this_machine_only_when_told_so) {
  MetricsServerOptions options;
  options.address = "0.0.0.0";
  const auto started = MetricsServer::start(options, {&board}, clock);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(started.error().message, HasSubstr("--insecure"));
  EXPECT_FALSE(check_address(options));
  options.is_insecure_allowed = true;
  EXPECT_TRUE(check_address(options));
  options = {.address = "127.3.2.1"};
  EXPECT_TRUE(check_address(options)) << "all of 127/8 is this machine";
}

TEST_F(MetricsServerTest, refuses_an_address_that_is_none) {
  MetricsServerOptions options;
  options.address = "localhost";
  const auto started = MetricsServer::start(std::move(options), {&board}, clock);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("'localhost'"));
}

}  // namespace
}  // namespace parley::monitoring
