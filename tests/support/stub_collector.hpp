// A small OpenTelemetry collector on 127.0.0.1: takes exports of spans by OTLP/HTTP with JSON, checks that they are
// what the specification says, and keeps them for a test. Everything on the thread of the loop that it is given.
// Source: https://github.com/open-telemetry/opentelemetry-proto (trace.proto, JSON mapping).
#pragma once

#include <asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/stub_model_server.hpp"

namespace parley::test {

class StubCollector {
 public:
  /// Listens on a free port. `io` must outlive the collector.
  explicit StubCollector(asio::io_context& io);

  /// `http://127.0.0.1:PORT`
  [[nodiscard]] std::string base() const;
  /// How the next export is answered; others are taken.
  void answer_next(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {});
  /// The next export is never answered.
  void stall_next();

  /// Spans that were taken, in the order of arrival.
  [[nodiscard]] const std::vector<nlohmann::json>& spans() const { return spans_; }
  /// What was wrong with the exports so far; empty: nothing.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] const std::vector<StubRequest>& requests() const { return server_.requests(); }
  /// `resource` of the newest export.
  [[nodiscard]] const nlohmann::json& resource() const { return resource_; }

 private:
  void take(const StubRequest& request);
  void check(const nlohmann::json& span);

  StubModelServer server_;
  std::vector<nlohmann::json> spans_;
  std::vector<std::string> problems_;
  nlohmann::json resource_;
};

/// The value of an attribute of a span or a resource; null when there is none.
[[nodiscard]] nlohmann::json attribute_of(const nlohmann::json& owner, std::string_view name);

}  // namespace parley::test
