#include "agents/tools/agent_tool.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::tools {

using messages::Answer;
using messages::TeamEvent;
using messages::Text;
using messages::ToolResult;

namespace {

constexpr std::string_view kTaskParameters =
    R"({"type":"object","properties":{"task":{"type":"string","minLength":1,"description":"What it is to do, with everything that it must know for that."}},"required":["task"],"additionalProperties":false})";

Result<ToolResult> result_of(const Payload& reply) {
  ToolResult result;
  if (reply.type == Text::kTypeName) {
    Result<Text> text = from_payload<Text>(reply);
    if (!text) return fail(std::move(text).error());
    result.content = std::move(text->text);
    return result;
  }
  Result<Answer> answer = from_payload<Answer>(reply);
  if (!answer) return fail(std::move(answer).error());
  result.content = std::move(answer->text);
  result.usage = std::move(answer->usage);
  return result;
}

}  // namespace

std::string with_key(const std::string& target, const std::string& key) {
  if (target.contains('/')) return target;
  constexpr std::size_t kMaxKey = 256;
  const bool is_key =
      !key.empty() && key.size() <= kMaxKey && std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
  if (is_key) return target + "/" + key;
  return target + "/" + std::to_string(std::hash<std::string>()(key));
}

std::string conversation_of(const Context& turn) {
  const std::string_view conversation = turn.attribute(wire::attribute::kConversation);
  return conversation.empty() ? turn.self().key() : std::string(conversation);
}

AgentTool::AgentTool(AgentToolOptions options)
    : target_(std::move(options.target)),
      spec_{std::move(options.name), std::move(options.description), std::string(kTaskParameters)} {}

Task<Result<ToolResult>> AgentTool::call(nlohmann::json arguments, ToolContext& context) {
  Result<Target> target = Target::parse(with_key(target_, conversation_of(context.turn)));
  if (!target) co_return fail(std::move(target).error());
  const Text task{arguments.at("task").get<std::string>(), context.turn.self().str()};
  CallOptions options;
  options.timeout = std::chrono::ceil<std::chrono::milliseconds>(context.deadline - context.turn.now());
  Result<ReplyStream> stream =
      co_await context.turn.request_stream(std::move(*target), to_payload(task), std::move(options));
  if (!stream) co_return fail(std::move(stream).error());
  for (;;) {
    Result<std::optional<Payload>> piece = co_await stream->next();
    if (!piece) co_return fail(std::move(piece).error());
    if (!*piece) co_return result_of(stream->reply());
    // Its text is for the model; only what happens is for those who watch.
    if ((*piece)->type != TeamEvent::kTypeName || !context.turn.is_request()) continue;
    const Result<> passed_on = co_await context.turn.part(std::move(**piece));
    if (!passed_on) co_return fail(passed_on.error());
  }
}

}  // namespace parley::tools
