#include "agents/kinds/assistant.hpp"

#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/llm/turn_call.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::Text;
using messages::TextPart;

Assistant::Assistant(AssistantOptions options, std::shared_ptr<llm::ChatModel> model)
    : options_(std::move(options)), model_(std::move(model)), history_(options_.history) {}

Task<Result<Answer>> Assistant::on(const Text& message, Context& context) {
  const std::string& name = context.self().type();
  if (!context.is_request() && options_.answer_topic.empty()) {
    co_return fail(ErrorCode::invalid,
                   "assistant '" + name + "' has nobody to answer: send a request, or give it an answer_topic");
  }
  llm::ChatRequest request;
  request.messages = history_.messages(options_.system_prompt, message.text);
  request.temperature = options_.temperature;
  request.max_tokens = options_.max_tokens;
  request.deadline = context.deadline();
  llm::ChunkSink sink;
  if (context.is_request()) {
    sink = [&context, &name](std::string_view piece) { return context.part(TextPart{std::string(piece), name}); };
  }
  std::expected<llm::Completion, llm::ModelError> completion =
      co_await llm::complete_in_turn(*model_, std::move(request), context, std::move(sink));
  if (!completion) co_return fail(std::move(completion).error().error);

  Answer answer{completion->text, name, false, std::move(completion->usage)};
  history_.add(message.text, std::move(completion->text));
  if (!context.is_request()) {
    const Result<Topic> topic = Topic::make(options_.answer_topic, context.self().key());
    if (!topic) co_return fail(topic.error());
    const Result<std::uint32_t> published = co_await context.publish(*topic, answer);
    if (!published) co_return fail(published.error());
  }
  co_return answer;
}

namespace {

MakeFactory read_assistant(config::ConfigReader& settings, KindNames& names) {
  AssistantOptions options;
  options.system_prompt = settings.text("system_prompt");
  options.history.max_turns = settings.integer("max_history_turns", options.history.max_turns, {0, 10'000});
  options.history.max_bytes = settings.integer("max_history_bytes", options.history.max_bytes, {0, 16'777'216});
  if (settings.has("temperature")) options.temperature = settings.number("temperature", 1, {0, 2});
  if (settings.has("max_tokens")) {
    options.max_tokens = static_cast<std::uint32_t>(settings.integer("max_tokens", 1024, {1, 1'000'000}));
  }
  options.answer_topic = settings.text("answer_topic");
  if (!options.answer_topic.empty() && !is_valid_topic_type(options.answer_topic)) {
    settings.reject("answer_topic", "expected a topic type: letters, digits and _ . - : =");
  }
  std::string model = read_model_name(settings, names);
  return [options = std::move(options), model = std::move(model)](const KindServices& services) -> AgentFactory {
    return [options, chat_model = services.model(model)](const AgentId&) {
      return std::make_unique<Assistant>(options, chat_model);
    };
  };
}

}  // namespace

const Kind kAssistantKind{"assistant", "answers by a chat model, with a memory for each conversation", &read_assistant};

}  // namespace parley::kinds
