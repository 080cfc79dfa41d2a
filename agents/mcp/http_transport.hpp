// An MCP server behind an URL (`streamable HTTP`): one POST for each message, answered with JSON or with a stream of
// events. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/http/http_transfer.hpp"
#include "agents/mcp/transport.hpp"

namespace parley::mcp {

struct HttpServerOptions {
  std::string url;
  bool is_loopback = false;
  std::vector<std::string> headers = {};  ///< `Name: value`; may be secret
  std::size_t max_response_bytes = std::size_t{32} * 1024 * 1024;
};

class HttpTransport final : public Transport {
 public:
  /// The clock must outlive it.
  HttpTransport(HttpServerOptions options, std::shared_ptr<http::CurlMulti> multi, const Clock& clock)
      : options_(std::move(options)), multi_(std::move(multi)), clock_(clock) {}

  [[nodiscard]] Task<Result<>> open() override;
  [[nodiscard]] std::uint64_t connection() const override { return is_open_ ? connections_ : 0; }
  [[nodiscard]] Task<Result<Json>> request(Json message, const Envelope& about) override;
  [[nodiscard]] Task<Result<>> notify(Json message, const Envelope& about) override;
  void on_tools_changed(std::function<void()> call) override { on_tools_changed_ = std::move(call); }
  [[nodiscard]] bool is_process() const override { return false; }

 private:
  [[nodiscard]] http::HttpRequest post(const Json& message, const Envelope& about) const;
  [[nodiscard]] Task<Result<Json>> read_events(http::HttpTransfer& transfer, std::string bytes, std::uint64_t id,
                                               const Envelope& about);
  [[nodiscard]] Task<Result<Json>> read_whole(http::HttpTransfer& transfer, std::string body, const Envelope& about);
  [[nodiscard]] Task<Result<std::optional<Json>>> take_events(const std::vector<std::string>& events, std::uint64_t id,
                                                              const Envelope& about);
  [[nodiscard]] Task<> answer_call(const Json& message, const Envelope& about);
  void take_session(const http::HttpTransfer& transfer, std::string_view method);

  HttpServerOptions options_;
  std::shared_ptr<http::CurlMulti> multi_;
  const Clock& clock_;
  std::function<void()> on_tools_changed_;
  bool is_open_ = false;
  std::uint64_t connections_ = 0;
  std::string session_;  ///< of the legacy era
};

}  // namespace parley::mcp
