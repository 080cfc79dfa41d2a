// Any server that speaks OpenAI's chat completions API: OpenAI itself, vLLM, Ollama, llama.cpp, gateways.
#pragma once

#include <memory>
#include <string>

#include "agents/http/curl_multi.hpp"
#include "agents/http/http_transfer.hpp"
#include "agents/llm/chat_accumulator.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/openai_options.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

class OpenAiModel final : public ChatModel {
 public:
  /// Reads the key from the environment, once. Fails with `bad_configuration` when the variable is unset or the base
  /// URL is wrong; the message names the variable and never shows the key. `clock` and `random` must outlive the model.
  static Result<std::unique_ptr<OpenAiModel>> make(OpenAiOptions options, std::shared_ptr<http::CurlMulti> multi,
                                                   const Clock& clock, Random& random);

  /// Repeats what may pass (Retry-After honoured) while no piece has been handed out; see OpenAiOptions.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  struct Call;
  using Outcome = std::expected<Completion, ModelError>;
  using Progress = std::expected<void, ModelError>;
  using Bytes = Result<std::optional<std::string>>;

  OpenAiModel(OpenAiOptions options, Endpoint endpoint, std::string key, std::shared_ptr<http::CurlMulti> multi,
              const Clock& clock, Random& random);

  Task<Outcome> attempt_until_done(Call& call);
  Task<Outcome> attempt(Call& call);
  Task<Outcome> read_stream(Call& call, http::HttpTransfer& transfer, ChatAccumulator& answer, Bytes bytes);
  Task<Outcome> read_whole(Call& call, http::HttpTransfer& transfer, ChatAccumulator& answer, Bytes bytes);
  Task<Progress> take_events(Call& call, ChatAccumulator& answer, const Result<std::vector<std::string>>& events);
  Task<Progress> hand_out(Call& call, ChatAccumulator& answer, std::string text);

  [[nodiscard]] http::HttpRequest make_post(const Call& call) const;
  [[nodiscard]] Duration time_left(const Call& call) const;
  [[nodiscard]] ModelError failure_of_transfer(const Call& call, const ChatAccumulator& answer,
                                               const Error& error) const;
  [[nodiscard]] ModelError failure_of_status(const Call& call, const http::HttpTransfer& transfer,
                                             std::string_view body) const;
  void hide_key(std::string& text) const;

  OpenAiOptions options_;
  Endpoint endpoint_;
  std::string key_;
  std::shared_ptr<http::CurlMulti> multi_;  ///< shared with the other models of the loop
  const Clock& clock_;
  Random& random_;
};

}  // namespace parley::llm
