#include "agents/mcp/elicitation.hpp"

#include <charconv>
#include <utility>
#include <vector>

#include "agents/llm/json_text.hpp"
#include "agents/people/ask.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::mcp {

using llm::member;
using llm::text_member;
using messages::Answered;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxFields = 10;
constexpr std::size_t kMaxShownBytes = 4000;
constexpr std::string_view kDecline = "decline";

json action(std::string_view what) { return {{"action", what}}; }
json accepted(json content) { return {{"action", "accept"}, {"content", std::move(content)}}; }

/// The texts that may be chosen from; empty: any.
std::vector<std::string> choices_of(const json& schema) {
  std::vector<std::string> choices;
  if (text_member(schema, "type") == "boolean") return {"true", "false", std::string(kDecline)};
  const json& values = member(schema, "enum");
  if (!values.is_array()) return choices;
  for (const json& each : values) {
    if (each.is_string()) choices.push_back(each.get<std::string>());
  }
  if (!choices.empty()) choices.emplace_back(kDecline);
  return choices;
}

std::string field_text(const std::string& name, const json& schema) {
  std::string text = name;
  const std::string_view description = text_member(schema, "description");
  if (!description.empty()) text += " (" + std::string(description) + ")";
  const std::string_view type = text_member(schema, "type");
  if (!type.empty()) text += ", " + std::string(type);
  return text;
}

bool is_optional(const json& form, const std::string& name) {
  const json& required = member(form, "required");
  if (!required.is_array()) return true;
  for (const json& each : required) {
    if (each == name) return false;
  }
  return true;
}

}  // namespace

std::optional<json> field_value(const json& schema, const std::string& text) {
  const std::string_view type = text_member(schema, "type");
  if (type == "boolean") return text == "true" || text == "yes" ? json(true) : json(false);
  if (type == "integer" || type == "number") {
    const std::optional<json> value = llm::parse_json(text);
    const bool is_good = value && (type == "integer" ? value->is_number_integer() : value->is_number());
    return is_good ? value : std::nullopt;
  }
  return json(text);
}

Task<Result<json>> elicit(const std::string& server, const json& params, std::chrono::milliseconds timeout,
                          Context& turn) {
  std::string asked = "The server '" + server + "' asks: ";
  asked += utf8_prefix(text_member(params, "message"), kMaxShownBytes);
  const json& form = member(params, "requestedSchema");
  const json& fields = member(form, "properties");
  json content = json::object();
  if (!fields.is_object() || fields.empty()) {
    people::Question question = people::approval(asked, timeout);
    const Result<Answered> answered = co_await people::ask_person(turn, std::move(question));
    if (!answered && answered.error().code == ErrorCode::cancelled) co_return fail(answered.error());
    if (!answered || answered->is_default) co_return action("cancel");
    if (answered->answer != people::kApprove) co_return action("decline");
    co_return accepted(std::move(content));
  }
  if (fields.size() > kMaxFields) co_return action("decline");
  for (const auto& field : fields.items()) {
    people::Question question;
    question.text = asked;
    question.text.append("\n").append(field_text(field.key(), field.value()));
    question.choices = choices_of(field.value());
    question.timeout = timeout;
    if (question.choices.empty()) question.text += " (or `decline`)";
    const Result<Answered> answered = co_await people::ask_person(turn, std::move(question));
    if (!answered && answered.error().code == ErrorCode::cancelled) co_return fail(answered.error());
    if (!answered) co_return action("cancel");
    if (answered->answer == kDecline) co_return action("decline");
    if (answered->answer.empty() && is_optional(form, field.key())) continue;
    std::optional<json> value = field_value(field.value(), answered->answer);
    if (!value) co_return action("decline");
    content[field.key()] = std::move(*value);
  }
  co_return accepted(std::move(content));
}

}  // namespace parley::mcp
