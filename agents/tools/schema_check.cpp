#include "agents/tools/schema_check.hpp"

#include <iterator>
#include <utility>
#include <vector>

#include "agents/llm/json_text.hpp"
#include "libmsg/core/nearest.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::tools {

using llm::member;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxProblems = 8;
/// References may lead in a circle, and alternatives multiply: past these the value does not fit.
constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxSteps = 100'000;
/// Of one alternative among several; it may hold those of its own alternatives.
constexpr std::size_t kMaxShownReason = 300;
constexpr const char* kTooComplex = "the schema is too complex to be checked";

bool is_false(const json& schema) { return schema.is_boolean() && !schema.get<bool>(); }

/// What is said of a member that the schema does not know.
std::string unknown_member(const std::string& name, const json& known) {
  std::vector<std::string> names;
  std::string list;
  if (known.is_object()) {
    for (const auto& each : known.items()) {
      list += (list.empty() ? "" : ", ") + each.key();
      names.push_back(each.key());
    }
  }
  const std::vector<std::string> nearest = nearest_names(name, names, 1);
  std::string what = "is not one of its members";
  if (!list.empty()) what += " (" + list + ")";
  if (!nearest.empty()) what += "; did you mean '" + nearest.front() + "'?";
  return what;
}

}  // namespace

std::string SchemaCheck::Place::str() const {
  if (parent == nullptr) return {};
  return parent->str() + "/" + (key.data() == nullptr ? std::to_string(index) : std::string(key));
}

bool SchemaCheck::Report::is_full() const { return problems.size() >= kMaxProblems; }

void SchemaCheck::Report::note(const Place& place, std::string what) {
  if (is_full()) return;
  const std::string where = place.str();
  problems.push_back(where.empty() ? std::move(what) : where + ": " + what);
}

void SchemaCheck::Report::add_problems(Report&& other) {
  for (std::string& each : other.problems) {
    if (!is_full()) problems.push_back(std::move(each));
  }
}

void SchemaCheck::Report::add(Report&& other) {
  members.merge(other.members);
  items.merge(other.items);
  add_problems(std::move(other));
}

SchemaProblems SchemaCheck::problems(const json& value) {
  Report report = check(document_.root(), value, Place{});
  // What ran out of steps inside of a `not` has noted nothing.
  if (is_exhausted_ && report.is_good()) report.note(Place{}, kTooComplex);
  return std::move(report.problems);
}

SchemaCheck::Report SchemaCheck::check(const json& schema, const json& value, const Place& place) {
  Report report;
  if (schema.is_boolean()) {
    if (is_false(schema)) report.note(place, "nothing is allowed here");
    return report;
  }
  if (depth_ >= kMaxDepth || ++steps_ > kMaxSteps) {
    is_exhausted_ = true;
    report.note(place, kTooComplex);
    return report;
  }
  ++depth_;
  report = check_object_schema(schema, value, place);
  --depth_;
  return report;
}

SchemaCheck::Report SchemaCheck::check_object_schema(const json& schema, const json& value, const Place& place) {
  Report report;
  check_references(schema, value, place, report);
  SchemaProblems kind = kind_problems(schema, value);
  const bool is_other_kind = !kind.empty();
  for (std::string& each : kind) report.note(place, std::move(each));
  if (is_other_kind) return report;  // the rest would only repeat it
  for (std::string& each : content_problems(document_, schema, value)) report.note(place, std::move(each));
  if (value.is_array()) {
    check_items(schema, value, place, report);
    check_contained(schema, value, place, report);
  }
  if (value.is_object()) {
    check_members(schema, value, place, report);
    check_dependents(schema, value, place, report);
  }
  check_combined(schema, value, place, report);
  // Only a value that fits otherwise has been looked at as its author meant it.
  if (document_.has_unevaluated() && report.is_good()) check_unevaluated(schema, value, place, report);
  return report;
}

void SchemaCheck::check_references(const json& schema, const json& value, const Place& place, Report& report) {
  for (const char* keyword : {"$ref", "$dynamicRef", "$recursiveRef"}) {
    const auto reference = schema.find(keyword);
    if (reference != schema.end()) report.add(check(document_.target(*reference), value, place));
  }
}

void SchemaCheck::check_items(const json& schema, const json& value, const Place& place, Report& report) {
  // Draft 7 writes what 2020-12 calls prefixItems as an array of `items`, and its rest as `additionalItems`.
  const bool is_old_form = member(schema, "items").is_array();
  const json& first = member(schema, is_old_form ? "items" : "prefixItems");
  const auto rest = schema.find(is_old_form ? "additionalItems" : "items");
  for (std::size_t i = 0; i < value.size() && !report.is_full(); ++i) {
    const bool is_first = first.is_array() && i < first.size();
    if (!is_first && rest == schema.end()) return;
    report.add_problems(check(is_first ? first[i] : *rest, value[i], Place{&place, {}, i}));
    if (document_.has_unevaluated()) report.items.insert(i);
  }
}

void SchemaCheck::check_contained(const json& schema, const json& value, const Place& place, Report& report) {
  const auto wanted = schema.find("contains");
  if (wanted == schema.end()) return;
  std::size_t count = 0;
  std::string reason;
  for (std::size_t i = 0; i < value.size(); ++i) {
    Report found = check(*wanted, value[i], Place{&place, {}, i});
    if (!found.is_good()) {
      if (reason.empty()) reason = "; " + found.problems.front();
      continue;
    }
    ++count;
    if (document_.has_unevaluated()) report.items.insert(i);
  }
  const json& least = member(schema, "minContains");
  const json& most = member(schema, "maxContains");
  const double min = least.is_number() ? least.get<double>() : 1;
  const auto number = static_cast<double>(count);
  const std::string got = " items that fit `contains`, got " + std::to_string(count);
  if (number < min) report.note(place, "expected at least " + shown_number(min) + got + reason);
  if (most.is_number() && number > most.get<double>()) {
    report.note(place, "expected at most " + shown_number(most.get<double>()) + got);
  }
}

void SchemaCheck::check_members(const json& schema, const json& value, const Place& place, Report& report) {
  const json& known = member(schema, "properties");
  const json& by_pattern = member(schema, "patternProperties");
  const auto others = schema.find("additionalProperties");
  const auto names = schema.find("propertyNames");
  for (const auto& entry : value.items()) {
    if (report.is_full()) return;
    const Place here{&place, entry.key(), 0};
    if (names != schema.end()) report.add_problems(check(*names, json(entry.key()), here));
    bool is_known = known.is_object() && known.contains(entry.key());
    if (is_known) report.add_problems(check(known[entry.key()], entry.value(), here));
    for (const auto& pattern : by_pattern.items()) {
      if (!document_.is_match(pattern.key(), entry.key())) continue;
      is_known = true;
      report.add_problems(check(pattern.value(), entry.value(), here));
    }
    if (!is_known && others != schema.end()) {
      is_known = true;
      if (is_false(*others)) {
        report.note(here, unknown_member(entry.key(), known));
      } else {
        report.add_problems(check(*others, entry.value(), here));
      }
    }
    if (is_known && document_.has_unevaluated()) report.members.insert(entry.key());
  }
}

void SchemaCheck::check_dependents(const json& schema, const json& value, const Place& place, Report& report) {
  for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    for (const auto& entry : member(schema, keyword).items()) {
      if (!value.contains(entry.key())) continue;
      if (!entry.value().is_array()) {
        report.add(check(entry.value(), value, place));
        continue;
      }
      for (const json& name : entry.value()) {
        if (value.contains(name.get_ref<const std::string&>())) continue;
        report.note(place, "'" + entry.key() + "' needs '" + name.get<std::string>() + "' beside it");
      }
    }
  }
}

void SchemaCheck::check_combined(const json& schema, const json& value, const Place& place, Report& report) {
  for (const json& each : member(schema, "allOf")) report.add(check(each, value, place));
  check_alternatives(member(schema, "anyOf"), false, value, place, report);
  check_alternatives(member(schema, "oneOf"), true, value, place, report);
  const auto unwanted = schema.find("not");
  if (unwanted != schema.end() && check(*unwanted, value, place).is_good()) {
    report.note(place, "is what the schema rules out: " + shown_value(*unwanted));
  }
  const auto condition = schema.find("if");
  if (condition == schema.end()) return;
  Report met = check(*condition, value, place);
  const auto branch = schema.find(met.is_good() ? "then" : "else");
  if (met.is_good()) report.add(std::move(met));
  if (branch != schema.end()) report.add(check(*branch, value, place));
}

void SchemaCheck::check_alternatives(const json& alternatives, bool is_exactly_one, const json& value,
                                     const Place& place, Report& report) {
  if (alternatives.empty()) return;
  std::size_t fitting = 0;
  std::string reasons;
  for (const json& each : alternatives) {
    Report found = check(each, value, place);
    if (found.is_good()) {
      ++fitting;
      report.add(std::move(found));
    } else {
      reasons += reasons.empty() ? "" : "; or ";
      reasons += utf8_prefix(found.problems.front(), kMaxShownReason);
    }
  }
  if (fitting == 0 && is_exhausted_) return report.note(place, kTooComplex);
  if (fitting == 0) return report.note(place, "fits no alternative: " + reasons);
  if (is_exactly_one && fitting > 1) report.note(place, "fits more than one alternative, and may fit only one");
}

void SchemaCheck::check_unevaluated(const json& schema, const json& value, const Place& place, Report& report) {
  if (const auto others = schema.find("unevaluatedProperties"); value.is_object() && others != schema.end()) {
    for (const auto& entry : value.items()) {
      if (!report.members.insert(entry.key()).second) continue;
      const Place here{&place, entry.key(), 0};
      if (is_false(*others)) {
        report.note(here, unknown_member(entry.key(), member(schema, "properties")));
      } else {
        report.add_problems(check(*others, entry.value(), here));
      }
    }
  }
  if (const auto others = schema.find("unevaluatedItems"); value.is_array() && others != schema.end()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (report.items.insert(i).second) report.add_problems(check(*others, value[i], Place{&place, {}, i}));
    }
  }
}

}  // namespace parley::tools
