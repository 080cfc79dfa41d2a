#include "agents/kinds/structured_answer.hpp"

#include <array>
#include <optional>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::kinds {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kFence = "```";

/// What stands in the first fence, or nothing.
std::string_view fenced(std::string_view text) {
  const std::size_t open = text.find(kFence);
  if (open == std::string_view::npos) return {};
  const std::size_t line = text.find('\n', open);
  if (line == std::string_view::npos) return {};
  const std::size_t close = text.find(kFence, line);
  if (close == std::string_view::npos) return {};
  return trimmed(text.substr(line, close - line));
}

/// From the first brace to the last one.
std::string_view braced(std::string_view text) {
  const std::size_t open = text.find_first_of("{[");
  const std::size_t close = text.find_last_of("}]");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return text.substr(open, close - open + 1);
}

bool is_members_list(const ordered_json& value) {
  return value.is_array() && value.size() == 1 && value[0].is_string() &&
         value[0].get_ref<const std::string&>() == StructuredAnswer::kMembers;
}

/// Writes the names wherever they belong; true when there is such a place. The depth is that of a file or a constant.
bool fill_members(ordered_json& schema, const std::vector<std::string>* names) {
  bool has_place = false;
  if (schema.is_object()) {
    const auto list = schema.find("enum");
    if (list != schema.end() && is_members_list(*list)) {
      has_place = true;
      if (names != nullptr && names->empty()) schema.erase("enum");
      if (names != nullptr && !names->empty()) schema["enum"] = *names;
    }
  }
  if (schema.is_structured()) {
    for (ordered_json& child : schema) has_place = fill_members(child, names) || has_place;
  }
  return has_place;
}

std::string joined_problems(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  return text;
}

}  // namespace

StructuredAnswer::StructuredAnswer(llm::ResponseSchema schema, ordered_json document, tools::JsonSchema checked)
    : schema_(std::move(schema)), document_(std::move(document)), checked_(std::move(checked)) {
  has_members_ = fill_members(document_, nullptr);
}

Result<StructuredAnswer> StructuredAnswer::make(std::string name, ordered_json schema) {
  std::string text = schema.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  Result<tools::JsonSchema> checked = tools::JsonSchema::parse(text);
  if (!checked) return fail(std::move(checked).error());
  return StructuredAnswer({std::move(name), std::move(text)}, std::move(schema), std::move(*checked));
}

Result<std::string> StructuredAnswer::read(std::string_view text) const {
  for (const std::string_view part : {trimmed(text), fenced(text), braced(text)}) {
    const std::optional<json> value = part.empty() ? std::nullopt : llm::parse_json(part);
    if (!value) continue;
    const std::vector<std::string> problems = checked_.problems(*value);
    if (!problems.empty()) return fail(ErrorCode::invalid, joined_problems(problems));
    return ordered_json::parse(part).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }
  return fail(ErrorCode::invalid, "the answer is not JSON");
}

StructuredAnswer StructuredAnswer::for_members(const std::vector<std::string>& names) const {
  ordered_json document = document_;
  fill_members(document, &names);
  // A list of names in the place of a list of one name keeps the schema valid.
  Result<StructuredAnswer> filled = make(schema_.name, std::move(document));
  if (!filled) return *this;
  return std::move(*filled);
}

std::string repair_request(std::string_view problems) {
  return "Your answer does not have the shape that was asked for:\n" + std::string(problems) +
         "\nAnswer again, with the corrected JSON and nothing else.";
}

}  // namespace parley::kinds
