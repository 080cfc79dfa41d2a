#include "agents/llm/openai_model.hpp"

#include <utility>

#include "agents/llm/chat_accumulator.hpp"
#include "agents/llm/http_model.hpp"
#include "agents/llm/openai_request.hpp"

namespace parley::llm {

namespace {

class OpenAiProtocol final : public ProviderProtocol {
 public:
  OpenAiProtocol(std::string model, OpenAiDialect dialect) : model_(std::move(model)), dialect_(std::move(dialect)) {}

  ProviderCall prepare(const ChatRequest& request, Delivery delivery) const override {
    ProviderCall call;
    call.site.model = request.model.empty() ? model_ : request.model;
    call.body = openai_request_body(request, call.site.model, delivery, dialect_);
    return call;
  }

  std::vector<std::string> headers(const std::string& key) const override {
    if (key.empty()) return {};
    return {"Authorization: Bearer " + key};
  }

  std::unique_ptr<AnswerReader> reader(const ProviderCall& call) const override {
    return std::make_unique<ChatAccumulator>(call.site, call.estimated_input, call.fallback_call_id);
  }

 private:
  std::string model_;
  OpenAiDialect dialect_;
};

}  // namespace

Result<std::unique_ptr<ChatModel>> make_openai_model(OpenAiOptions options, std::shared_ptr<http::CurlMulti> multi,
                                                     const Clock& clock, Random& random) {
  return HttpModel::make(std::move(options.http), "/chat/completions",
                         std::make_unique<OpenAiProtocol>(std::move(options.model), std::move(options.dialect)),
                         std::move(multi), clock, random);
}

}  // namespace parley::llm
