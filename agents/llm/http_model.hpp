// A model behind HTTP: one request, its answer streamed or whole, a deadline, failures with names. How the provider
// speaks is its ProviderProtocol's business; repeating what fails is RetryingModel's.
#pragma once

#include <memory>
#include <string>

#include "agents/http/curl_multi.hpp"
#include "agents/http/http_transfer.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/http_options.hpp"
#include "agents/llm/provider_protocol.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

class HttpModel final : public ChatModel {
 public:
  /// Reads the key from the environment, once. Fails with `bad_configuration` when the variable is unset or the base
  /// URL is wrong; the message names the variable and never shows the key. Requests are posted to the base URL and
  /// `path`. `clock` and `random` must outlive the model.
  static Result<std::unique_ptr<HttpModel>> make(HttpOptions options, std::string_view path,
                                                 std::unique_ptr<ProviderProtocol> protocol,
                                                 std::shared_ptr<http::CurlMulti> multi, const Clock& clock,
                                                 Random& random);

  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  struct Call;
  using Outcome = std::expected<Completion, ModelError>;
  using Progress = std::expected<void, ModelError>;
  using Bytes = Result<std::optional<std::string>>;

  HttpModel(HttpOptions options, Endpoint endpoint, std::string url, std::string key,
            std::unique_ptr<ProviderProtocol> protocol, std::shared_ptr<http::CurlMulti> multi, const Clock& clock,
            Random& random);

  Task<Outcome> attempt(Call& call);
  Task<Outcome> read_stream(Call& call, http::HttpTransfer& transfer, AnswerReader& answer, Bytes bytes);
  Task<Outcome> read_whole(Call& call, http::HttpTransfer& transfer, AnswerReader& answer, Bytes bytes);
  Task<Progress> take_events(Call& call, AnswerReader& answer, const Result<std::vector<std::string>>& events);
  Task<Progress> hand_out(Call& call, AnswerReader& answer, std::string text);

  /// Takes the body with it: it is sent once.
  [[nodiscard]] http::HttpRequest make_post(Call& call) const;
  [[nodiscard]] Duration time_left(const Call& call) const;
  [[nodiscard]] ModelError failure_of_transfer(const Call& call, const AnswerReader& answer, const Error& error) const;
  [[nodiscard]] ModelError failure_of_status(const Call& call, const http::HttpTransfer& transfer,
                                             std::string_view body) const;
  void hide_key(std::string& text) const;

  HttpOptions options_;
  Endpoint endpoint_;
  std::string url_;
  std::string key_;
  std::unique_ptr<ProviderProtocol> protocol_;
  std::shared_ptr<http::CurlMulti> multi_;  ///< shared with the other models of the loop
  const Clock& clock_;
  Random& random_;
};

}  // namespace parley::llm
