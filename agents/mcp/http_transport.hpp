// An MCP server behind an URL (`streamable HTTP`): one POST for each message, answered with JSON or with a stream of
// events; a legacy server may keep one more stream open for what it has to say itself. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/mcp/http_endpoint.hpp"
#include "agents/mcp/http_stream.hpp"
#include "agents/mcp/transport.hpp"

namespace parley::mcp {

class HttpTransport final : public Transport {
 public:
  /// Clock and random numbers must outlive it.
  HttpTransport(HttpServerOptions options, std::shared_ptr<http::CurlMulti> multi, const Clock& clock, Random& random)
      : endpoint_(std::make_shared<HttpEndpoint>(std::move(options), std::move(multi), clock)),
        clock_(clock),
        random_(random) {}
  ~HttpTransport() override;

  [[nodiscard]] Task<Result<>> open() override;
  [[nodiscard]] std::uint64_t connection() const override { return is_open_ ? connections_ : 0; }
  [[nodiscard]] Task<Result<Json>> request(Json message, const Envelope& about) override;
  [[nodiscard]] Task<Result<>> notify(Json message, const Envelope& about) override;
  void listen(const Envelope& about) override;
  [[nodiscard]] Task<> close(const Envelope& about) override;
  void set_events(TransportEvents events) override { events_ = std::move(events); }
  [[nodiscard]] bool is_process() const override { return false; }

 private:
  [[nodiscard]] Task<Result<Json>> read_events(http::HttpTransfer& transfer, std::string bytes, std::uint64_t id,
                                               const Envelope& about);
  [[nodiscard]] Task<Result<Json>> read_whole(http::HttpTransfer& transfer, std::string body, const Envelope& about);
  [[nodiscard]] Task<Result<std::optional<Json>>> take_events(const std::vector<std::string>& events, std::uint64_t id,
                                                              const Envelope& about);
  void stop_stream();

  std::shared_ptr<HttpEndpoint> endpoint_;  ///< shared with the stream's coroutine
  const Clock& clock_;
  Random& random_;
  TransportEvents events_;
  std::shared_ptr<HttpStream> stream_;  ///< shared with its coroutine; empty: none
  bool is_open_ = false;
  std::uint64_t connections_ = 0;
};

}  // namespace parley::mcp
