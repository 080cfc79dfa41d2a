#include "agents/tools/schema_check.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "libmsg/core/nearest.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::tools {

using llm::member;
using llm::text_member;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxProblems = 8;
/// References may lead in a circle, and alternatives multiply: past these the value does not fit.
constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxSteps = 100'000;
constexpr std::size_t kMaxShownBytes = 80;

/// A value as a sentence may show it.
std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= kMaxShownBytes) return text;
  return std::string(utf8_prefix(text, kMaxShownBytes)) + "…";
}

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
  return true;  // a type that nobody knows forbids nothing
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::optional<double> number_member(const json& schema, std::string_view name) {
  const json& value = member(schema, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::string short_number(double number) { return json(number).dump(); }

std::string list_of(const json& values) {
  std::string text;
  for (const json& each : values) text += (text.empty() ? "" : ", ") + shown(each);
  return text;
}

std::string list_of_names(const json& object) {
  std::string text;
  for (const auto& entry : object.items()) text += (text.empty() ? "" : ", ") + entry.key();
  return text;
}

}  // namespace

void SchemaPatterns::add(const std::string& expression) {
  Result<Pattern> pattern = Pattern::make(expression);
  if (pattern) patterns_.emplace(expression, std::move(*pattern));
}

bool SchemaPatterns::is_match(const std::string& expression, std::string_view text) const {
  const auto found = patterns_.find(expression);
  return found == patterns_.end() || found->second.is_found_in(text);
}

const json* find_reference(const json& root, std::string_view reference) {
  if (reference == "#") return &root;
  if (!reference.starts_with("#/")) return nullptr;
  const json* node = &root;
  std::string_view rest = reference.substr(1);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    std::string key(rest.substr(0, end));
    rest.remove_prefix(end);
    for (std::size_t at = key.find('~'); at != std::string::npos; at = key.find('~', at + 1)) {
      if (key.compare(at, 2, "~0") == 0) key.replace(at, 2, "~");
      if (key.compare(at, 2, "~1") == 0) key.replace(at, 2, "/");
    }
    if (node->is_array()) {
      std::size_t index = 0;
      for (const char c : key)
        index = c >= '0' && c <= '9' && index < node->size() ? index * 10 + static_cast<std::size_t>(c - '0')
                                                             : node->size();
      if (key.empty() || index >= node->size()) return nullptr;
      node = &(*node)[index];
      continue;
    }
    const auto found = node->is_object() ? node->find(key) : node->end();
    if (!node->is_object() || found == node->end()) return nullptr;
    node = &*found;
  }
  return node;
}

std::string SchemaCheck::Place::str() const {
  if (parent == nullptr) return {};
  return parent->str() + "/" + (key.data() == nullptr ? std::to_string(index) : std::string(key));
}

void SchemaCheck::note(const Place& place, std::string what, Problems& out) const {
  if (out.size() >= kMaxProblems) return;
  const std::string where = place.str();
  out.push_back(where.empty() ? std::move(what) : where + ": " + what);
}

std::vector<std::string> SchemaCheck::problems(const json& value) {
  Problems out;
  check(root_, value, Place{}, out);
  return out;
}

bool SchemaCheck::fits(const json& schema, const json& value, const Place& place) {
  Problems unwanted;
  check(schema, value, place, unwanted);
  return unwanted.empty();
}

void SchemaCheck::check(const json& schema, const json& value, const Place& place, Problems& out) {
  if (schema.is_boolean()) {
    if (!schema.get<bool>()) note(place, "nothing is allowed here", out);
    return;
  }
  if (!schema.is_object() || out.size() >= kMaxProblems) return;
  if (depth_ >= kMaxDepth || ++steps_ > kMaxSteps) return note(place, "the schema is too complex to be checked", out);
  ++depth_;
  check_object_schema(schema, value, place, out);
  --depth_;
}

void SchemaCheck::check_object_schema(const json& schema, const json& value, const Place& place, Problems& out) {
  if (const json& reference = member(schema, "$ref"); reference.is_string()) {
    const json* target = find_reference(root_, reference.get_ref<const std::string&>());
    if (target != nullptr) check(*target, value, place, out);
  }
  const std::size_t before = out.size();
  check_type(schema, value, place, out);
  check_choice(schema, value, place, out);
  if (out.size() != before) return;  // the rest would only repeat it
  if (value.is_number()) check_number(schema, value, place, out);
  if (value.is_string()) check_text(schema, value, place, out);
  if (value.is_array()) check_array(schema, value, place, out);
  if (value.is_object()) check_object(schema, value, place, out);
  check_combined(schema, value, place, out);
}

void SchemaCheck::check_type(const json& schema, const json& value, const Place& place, Problems& out) {
  const json& type = member(schema, "type");
  if (type.is_string()) {
    if (has_type(value, type.get_ref<const std::string&>())) return;
    return note(place, "expected " + type.get<std::string>() + ", got " + shown(value), out);
  }
  if (!type.is_array()) return;
  const bool is_one = std::ranges::any_of(
      type, [&](const json& each) { return each.is_string() && has_type(value, each.get_ref<const std::string&>()); });
  if (!is_one) note(place, "expected one of the types " + list_of(type) + ", got " + shown(value), out);
}

void SchemaCheck::check_choice(const json& schema, const json& value, const Place& place, Problems& out) {
  const json& choices = member(schema, "enum");
  if (choices.is_array() && std::ranges::find(choices, value) == choices.end()) {
    note(place, "expected one of " + list_of(choices) + ", got " + shown(value), out);
  }
  const auto constant = schema.find("const");
  if (constant != schema.end() && *constant != value) {
    note(place, "expected " + shown(*constant) + ", got " + shown(value), out);
  }
}

void SchemaCheck::check_number(const json& schema, const json& value, const Place& place, Problems& out) {
  const auto number = value.get<double>();
  const auto limit = [&](std::string_view name, bool (*is_good)(double, double), const char* expected) {
    const std::optional<double> bound = number_member(schema, name);
    if (bound && !is_good(number, *bound)) {
      note(place, std::string("expected ") + expected + " " + short_number(*bound) + ", got " + shown(value), out);
    }
  };
  limit("minimum", [](double a, double b) { return a >= b; }, "at least");
  limit("maximum", [](double a, double b) { return a <= b; }, "at most");
  limit("exclusiveMinimum", [](double a, double b) { return a > b; }, "more than");
  limit("exclusiveMaximum", [](double a, double b) { return a < b; }, "less than");
  const auto is_multiple = [](double a, double b) {
    if (b <= 0) return true;
    const double quotient = a / b;
    return std::abs(quotient - std::round(quotient)) < 1e-9 * std::max(1.0, std::abs(quotient));
  };
  limit("multipleOf", is_multiple, "a multiple of");
}

void SchemaCheck::check_text(const json& schema, const json& value, const Place& place, Problems& out) {
  const auto& text = value.get_ref<const std::string&>();
  const std::optional<double> min = number_member(schema, "minLength");
  const std::optional<double> max = number_member(schema, "maxLength");
  if (min || max) {
    const auto length = static_cast<double>(code_points(text));
    if (min && length < *min) note(place, "expected at least " + short_number(*min) + " characters", out);
    if (max && length > *max) note(place, "expected at most " + short_number(*max) + " characters", out);
  }
  const json& pattern = member(schema, "pattern");
  if (pattern.is_string() && !patterns_.is_match(pattern.get_ref<const std::string&>(), text)) {
    note(place, "expected text that matches " + pattern.get<std::string>() + ", got " + shown(value), out);
  }
}

void SchemaCheck::check_array(const json& schema, const json& value, const Place& place, Problems& out) {
  const auto size = static_cast<double>(value.size());
  const std::optional<double> min = number_member(schema, "minItems");
  const std::optional<double> max = number_member(schema, "maxItems");
  if (min && size < *min) note(place, "expected at least " + short_number(*min) + " items", out);
  if (max && size > *max) note(place, "expected at most " + short_number(*max) + " items", out);
  // Draft 7 writes what 2020-12 calls prefixItems as an array of `items`, and its rest as `additionalItems`.
  const bool is_old_form = member(schema, "items").is_array();
  const json& first = member(schema, is_old_form ? "items" : "prefixItems");
  const auto rest = schema.find(is_old_form ? "additionalItems" : "items");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Place item{&place, {}, i};
    if (first.is_array() && i < first.size()) {
      check(first[i], value[i], item, out);
    } else if (rest != schema.end()) {
      check(*rest, value[i], item, out);
    }
  }
  const json& unique = member(schema, "uniqueItems");
  if (!unique.is_boolean() || !unique.get<bool>()) return;
  std::vector<const json*> sorted;
  for (const json& each : value) sorted.push_back(&each);
  std::ranges::sort(sorted, [](const json* a, const json* b) { return *a < *b; });
  const auto twice = std::ranges::adjacent_find(sorted, [](const json* a, const json* b) { return *a == *b; });
  if (twice != sorted.end()) note(place, "expected items that differ, got " + shown(**twice) + " twice", out);
}

void SchemaCheck::check_object(const json& schema, const json& value, const Place& place, Problems& out) {
  const auto size = static_cast<double>(value.size());
  const std::optional<double> min = number_member(schema, "minProperties");
  const std::optional<double> max = number_member(schema, "maxProperties");
  if (min && size < *min) note(place, "expected at least " + short_number(*min) + " members", out);
  if (max && size > *max) note(place, "expected at most " + short_number(*max) + " members", out);
  if (const json& required = member(schema, "required"); required.is_array()) {
    for (const json& name : required) {
      if (name.is_string() && !value.contains(name.get_ref<const std::string&>())) {
        note(place, "'" + name.get<std::string>() + "' is missing", out);
      }
    }
  }
  check_members(schema, value, place, out);
  check_dependents(schema, value, place, out);
}

void SchemaCheck::check_members(const json& schema, const json& value, const Place& place, Problems& out) {
  const json& known = member(schema, "properties");
  const json& by_pattern = member(schema, "patternProperties");
  const auto others = schema.find("additionalProperties");
  const auto names = schema.find("propertyNames");
  for (const auto& entry : value.items()) {
    const Place here{&place, entry.key(), 0};
    if (names != schema.end()) check(*names, json(entry.key()), here, out);
    bool is_known = false;
    if (const auto found = known.is_object() ? known.find(entry.key()) : known.end();
        known.is_object() && found != known.end()) {
      is_known = true;
      check(*found, entry.value(), here, out);
    }
    if (by_pattern.is_object()) {
      for (const auto& pattern : by_pattern.items()) {
        if (!patterns_.is_match(pattern.key(), entry.key())) continue;
        is_known = true;
        check(pattern.value(), entry.value(), here, out);
      }
    }
    if (is_known || others == schema.end()) continue;
    if (!others->is_boolean() || others->get<bool>()) {
      check(*others, entry.value(), here, out);
      continue;
    }
    std::vector<std::string> names_known;
    if (known.is_object()) {
      for (const auto& each : known.items()) names_known.push_back(each.key());
    }
    const std::vector<std::string> nearest = nearest_names(entry.key(), names_known, 1);
    std::string what = "is not one of its members";
    if (known.is_object() && !known.empty()) what += " (" + list_of_names(known) + ")";
    if (!nearest.empty()) what += "; did you mean '" + nearest.front() + "'?";
    note(here, std::move(what), out);
  }
}

void SchemaCheck::check_dependents(const json& schema, const json& value, const Place& place, Problems& out) {
  for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    const json& dependents = member(schema, keyword);
    if (!dependents.is_object()) continue;
    for (const auto& entry : dependents.items()) {
      if (!value.contains(entry.key())) continue;
      if (!entry.value().is_array()) {
        check(entry.value(), value, place, out);
        continue;
      }
      for (const json& name : entry.value()) {
        if (name.is_string() && !value.contains(name.get_ref<const std::string&>())) {
          note(place, "'" + entry.key() + "' needs '" + name.get<std::string>() + "' beside it", out);
        }
      }
    }
  }
}

void SchemaCheck::check_combined(const json& schema, const json& value, const Place& place, Problems& out) {
  if (const json& all = member(schema, "allOf"); all.is_array()) {
    for (const json& each : all) check(each, value, place, out);
  }
  if (const json& any = member(schema, "anyOf"); any.is_array()) check_alternatives(any, false, value, place, out);
  if (const json& one = member(schema, "oneOf"); one.is_array()) check_alternatives(one, true, value, place, out);
  const auto unwanted = schema.find("not");
  if (unwanted != schema.end() && fits(*unwanted, value, place)) {
    note(place, "is what the schema rules out: " + shown(*unwanted), out);
  }
  const auto condition = schema.find("if");
  if (condition == schema.end()) return;
  const auto branch = schema.find(fits(*condition, value, place) ? "then" : "else");
  if (branch != schema.end()) check(*branch, value, place, out);
}

void SchemaCheck::check_alternatives(const json& alternatives, bool is_exactly_one, const json& value,
                                     const Place& place, Problems& out) {
  std::size_t fitting = 0;
  std::string reasons;
  for (const json& each : alternatives) {
    Problems found;
    check(each, value, place, found);
    if (found.empty()) {
      ++fitting;
    } else {
      reasons += (reasons.empty() ? "" : "; or ") + found.front();
    }
  }
  if (fitting == 0 && !alternatives.empty()) return note(place, "fits no alternative: " + reasons, out);
  if (is_exactly_one && fitting > 1) note(place, "fits more than one alternative, and may fit only one", out);
}

}  // namespace parley::tools
