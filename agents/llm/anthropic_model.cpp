#include "agents/llm/anthropic_model.hpp"

#include <utility>

#include "agents/llm/anthropic_reader.hpp"
#include "agents/llm/anthropic_request.hpp"
#include "agents/llm/http_model.hpp"

namespace parley::llm {

namespace {

class AnthropicProtocol final : public ProviderProtocol {
 public:
  explicit AnthropicProtocol(AnthropicOptions options) : options_(std::move(options)) {}

  ProviderCall prepare(const ChatRequest& request, Delivery delivery) const override {
    ProviderCall call;
    call.site.model = request.model.empty() ? options_.model : request.model;
    call.body = anthropic_request_body(request, call.site.model, delivery, options_);
    call.answer_tool = answer_tool_name(request);
    return call;
  }

  std::vector<std::string> headers(const std::string& key) const override {
    std::vector<std::string> headers{"anthropic-version: 2023-06-01"};
    if (!options_.beta.empty()) headers.push_back("anthropic-beta: " + options_.beta);
    if (!key.empty()) headers.push_back("x-api-key: " + key);
    return headers;
  }

  std::unique_ptr<AnswerReader> reader(const ProviderCall& call) const override {
    return std::make_unique<AnthropicReader>(call);
  }

 private:
  AnthropicOptions options_;
};

}  // namespace

Result<std::unique_ptr<ChatModel>> make_anthropic_model(AnthropicOptions options,
                                                        std::shared_ptr<http::CurlMulti> multi, const Clock& clock,
                                                        Random& random) {
  HttpOptions http = options.http;
  return HttpModel::make(std::move(http), "/messages", std::make_unique<AnthropicProtocol>(std::move(options)),
                         std::move(multi), clock, random);
}

}  // namespace parley::llm
