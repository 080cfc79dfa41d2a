#include "agents/tools/schema_assertions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::tools {

using llm::member;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxShownBytes = 80;

bool is_whole(const json& value) {
  if (value.is_number_integer()) return true;
  return value.is_number() && std::isfinite(value.get<double>()) &&
         std::floor(value.get<double>()) == value.get<double>();
}

bool has_type(const json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  return true;  // `any`
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_utf8_continuation(c); }));
}

std::optional<double> number_member(const json& schema, std::string_view name) {
  const json& value = member(schema, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::string list_of(const json& values) {
  std::string text;
  for (const json& each : values) text += (text.empty() ? "" : ", ") + shown_value(each);
  return text;
}

struct SizeKeywords {
  std::string_view min;
  std::string_view max;
  const char* unit;
};

SchemaProblems size_problems(const json& schema, std::size_t size, const SizeKeywords& keywords) {
  SchemaProblems out;
  const std::optional<double> min = number_member(schema, keywords.min);
  const std::optional<double> max = number_member(schema, keywords.max);
  const auto number = static_cast<double>(size);
  if (min && number < *min) out.push_back("expected at least " + shown_number(*min) + " " + keywords.unit);
  if (max && number > *max) out.push_back("expected at most " + shown_number(*max) + " " + keywords.unit);
  return out;
}

struct Limit {
  const char* keyword;
  const char* draft_4;  ///< the keyword that a `true` beside it makes exclusive
  bool (*is_good)(double number, double bound);
  const char* expected;
};

bool is_multiple(double number, double of) {
  const double quotient = number / of;
  return std::abs(quotient - std::round(quotient)) < 1e-9 * std::max(1.0, std::abs(quotient));
}

/// The bound of a limit; draft 4 writes exclusive ones as `minimum` with `exclusiveMinimum: true` beside it.
std::optional<double> bound_of(const json& schema, const Limit& limit) {
  if (limit.draft_4 == nullptr) return number_member(schema, limit.keyword);
  const json& exclusive = member(schema, limit.keyword);
  if (!exclusive.is_boolean()) return number_member(schema, limit.keyword);
  return exclusive.get<bool>() ? number_member(schema, limit.draft_4) : std::nullopt;
}

SchemaProblems number_problems(const json& schema, const json& value) {
  constexpr std::array<Limit, 5> kLimits{{
      {"minimum", nullptr, [](double a, double b) { return a >= b; }, "at least"},
      {"maximum", nullptr, [](double a, double b) { return a <= b; }, "at most"},
      {"exclusiveMinimum", "minimum", [](double a, double b) { return a > b; }, "more than"},
      {"exclusiveMaximum", "maximum", [](double a, double b) { return a < b; }, "less than"},
      {"multipleOf", nullptr, &is_multiple, "a multiple of"},
  }};
  SchemaProblems out;
  const auto number = value.get<double>();
  for (const Limit& limit : kLimits) {
    const std::optional<double> bound = bound_of(schema, limit);
    if (!bound || limit.is_good(number, *bound)) continue;
    out.push_back(std::string("expected ") + limit.expected + " " + shown_number(*bound) + ", got " +
                  shown_value(value));
  }
  return out;
}

SchemaProblems text_problems(const SchemaDocument& document, const json& schema, const json& value) {
  const auto& text = value.get_ref<const std::string&>();
  SchemaProblems out = size_problems(schema, code_points(text), {"minLength", "maxLength", "characters"});
  const json& pattern = member(schema, "pattern");
  if (pattern.is_string() && !document.is_match(pattern.get_ref<const std::string&>(), text)) {
    out.push_back("expected text that matches " + pattern.get<std::string>() + ", got " + shown_value(value));
  }
  return out;
}

SchemaProblems array_problems(const json& schema, const json& value) {
  SchemaProblems out = size_problems(schema, value.size(), {"minItems", "maxItems", "items"});
  const json& unique = member(schema, "uniqueItems");
  if (!unique.is_boolean() || !unique.get<bool>()) return out;
  std::vector<const json*> sorted;
  for (const json& each : value) sorted.push_back(&each);
  std::ranges::sort(sorted, [](const json* a, const json* b) { return *a < *b; });
  const auto twice = std::ranges::adjacent_find(sorted, [](const json* a, const json* b) { return *a == *b; });
  if (twice != sorted.end()) out.push_back("expected items that differ, got " + shown_value(**twice) + " twice");
  return out;
}

SchemaProblems object_problems(const json& schema, const json& value) {
  SchemaProblems out = size_problems(schema, value.size(), {"minProperties", "maxProperties", "members"});
  for (const json& name : member(schema, "required")) {
    if (!value.contains(name.get_ref<const std::string&>())) {
      out.push_back("'" + name.get<std::string>() + "' is missing");
    }
  }
  return out;
}

std::optional<std::string> type_problem(const json& schema, const json& value) {
  const json& type = member(schema, "type");
  if (type.is_string() && !has_type(value, type.get_ref<const std::string&>())) {
    return "expected " + type.get<std::string>() + ", got " + shown_value(value);
  }
  const auto fits = [&](const json& each) { return has_type(value, each.get_ref<const std::string&>()); };
  if (type.is_array() && std::ranges::none_of(type, fits)) {
    return "expected one of the types " + list_of(type) + ", got " + shown_value(value);
  }
  return std::nullopt;
}

}  // namespace

std::string shown_value(const json& value) {
  std::string text = llm::to_text(value);
  if (text.size() <= kMaxShownBytes) return text;
  return std::string(utf8_prefix(text, kMaxShownBytes)) + "…";
}

std::string shown_number(double number) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  const bool is_whole = number == std::trunc(number) && std::abs(number) <= kExact;
  return is_whole ? std::to_string(static_cast<std::int64_t>(number)) : json(number).dump();
}

SchemaProblems kind_problems(const json& schema, const json& value) {
  SchemaProblems out;
  if (std::optional<std::string> problem = type_problem(schema, value)) out.push_back(std::move(*problem));
  const json& choices = member(schema, "enum");
  if (choices.is_array() && std::ranges::find(choices, value) == choices.end()) {
    out.push_back("expected one of " + list_of(choices) + ", got " + shown_value(value));
  }
  const auto constant = schema.find("const");
  if (constant != schema.end() && *constant != value) {
    out.push_back("expected " + shown_value(*constant) + ", got " + shown_value(value));
  }
  return out;
}

SchemaProblems content_problems(const SchemaDocument& document, const json& schema, const json& value) {
  if (value.is_number()) return number_problems(schema, value);
  if (value.is_string()) return text_problems(document, schema, value);
  if (value.is_array()) return array_problems(schema, value);
  if (value.is_object()) return object_problems(schema, value);
  return {};
}

}  // namespace parley::tools
