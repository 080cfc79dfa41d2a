#include "agents/tools/schema_document.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "agents/llm/json_text.hpp"
#include "agents/llm/schema_reference.hpp"

namespace parley::tools {

using llm::text_member;
using nlohmann::json;

namespace {

enum class Shape : std::uint8_t {
  array,
  count,
  dependents,  ///< name → names or schema
  flag,
  limit,  ///< a number, or `true` as in draft 4
  number,
  pattern,
  positive,
  reference,
  schema,
  schema_or_list,
  schemas,
  schemas_by_name,
  schemas_by_pattern,
  texts,
  type,
};

struct Keyword {
  std::string_view name;
  Shape shape;
};

constexpr std::array kKeywords{
    Keyword{"$defs", Shape::schemas_by_name},
    Keyword{"$dynamicRef", Shape::reference},
    Keyword{"$recursiveRef", Shape::reference},
    Keyword{"$ref", Shape::reference},
    Keyword{"additionalItems", Shape::schema},
    Keyword{"additionalProperties", Shape::schema},
    Keyword{"allOf", Shape::schemas},
    Keyword{"anyOf", Shape::schemas},
    Keyword{"contains", Shape::schema},
    Keyword{"definitions", Shape::schemas_by_name},
    Keyword{"dependencies", Shape::dependents},
    Keyword{"dependentRequired", Shape::dependents},
    Keyword{"dependentSchemas", Shape::dependents},
    Keyword{"else", Shape::schema},
    Keyword{"enum", Shape::array},
    Keyword{"exclusiveMaximum", Shape::limit},
    Keyword{"exclusiveMinimum", Shape::limit},
    Keyword{"if", Shape::schema},
    Keyword{"items", Shape::schema_or_list},
    Keyword{"maxContains", Shape::count},
    Keyword{"maxItems", Shape::count},
    Keyword{"maxLength", Shape::count},
    Keyword{"maxProperties", Shape::count},
    Keyword{"maximum", Shape::number},
    Keyword{"minContains", Shape::count},
    Keyword{"minItems", Shape::count},
    Keyword{"minLength", Shape::count},
    Keyword{"minProperties", Shape::count},
    Keyword{"minimum", Shape::number},
    Keyword{"multipleOf", Shape::positive},
    Keyword{"not", Shape::schema},
    Keyword{"oneOf", Shape::schemas},
    Keyword{"pattern", Shape::pattern},
    Keyword{"patternProperties", Shape::schemas_by_pattern},
    Keyword{"prefixItems", Shape::schemas},
    Keyword{"properties", Shape::schemas_by_name},
    Keyword{"propertyNames", Shape::schema},
    Keyword{"required", Shape::texts},
    Keyword{"then", Shape::schema},
    Keyword{"type", Shape::type},
    Keyword{"unevaluatedItems", Shape::schema},
    Keyword{"unevaluatedProperties", Shape::schema},
    Keyword{"uniqueItems", Shape::flag},
};

/// `any` is draft 3's word for no type at all, and still about.
constexpr std::array<std::string_view, 8> kTypeNames{"any",    "array",  "boolean", "integer",
                                                     "number", "object", "null",    "string"};

bool is_name(const json& value) { return value.is_string(); }

bool is_type(const json& value) {
  return value.is_string() && std::ranges::find(kTypeNames, value.get_ref<const std::string&>()) != kTypeNames.end();
}

/// What was expected of a keyword whose value holds no schema; nullptr when it is right.
const char* shape_problem(Shape shape, const json& value) {
  switch (shape) {
    case Shape::array:
      return value.is_array() ? nullptr : "expected a list";
    case Shape::count:
      return value.is_number() && value.get<double>() >= 0 ? nullptr : "expected a number that is not negative";
    case Shape::flag:
      return value.is_boolean() ? nullptr : "expected true or false";
    case Shape::limit:
      return value.is_number() || value.is_boolean() ? nullptr : "expected a number";
    case Shape::number:
      return value.is_number() ? nullptr : "expected a number";
    case Shape::positive:
      return value.is_number() && value.get<double>() > 0 ? nullptr : "expected a number above 0";
    case Shape::texts:
      return value.is_array() && std::ranges::all_of(value, is_name) ? nullptr : "expected a list of names";
    case Shape::type:
      return is_type(value) || (value.is_array() && std::ranges::all_of(value, is_type))
                 ? nullptr
                 : "expected one or several of array, boolean, integer, number, object, null, string";
    default:
      return nullptr;
  }
}

bool is_too_old(std::string_view dialect) {
  return dialect.contains("draft-01") || dialect.contains("draft-02") || dialect.contains("draft-03");
}

}  // namespace

/// Fills a document: follows every keyword that holds schemas, and every reference.
class SchemaReader {
 public:
  explicit SchemaReader(SchemaDocument& document) : document_(document) {}

  Result<> read() {
    const json& root = document_.root_;
    if (is_too_old(text_member(root, "$schema"))) return refuse("", "drafts before the fourth are not known");
    resources_.push_back({resource_name(text_member(root, "$id")), &root});
    Result<> done = find_resources(root);
    if (!done) return done;
    wanted_.push_back({&root, &root, ""});
    while (done && !wanted_.empty()) {
      const Wanted next = std::move(wanted_.back());
      wanted_.pop_back();
      done = read_schema(next);
    }
    return done;
  }

 private:
  /// A schema with an `$id`, which the references inside of it are relative to.
  struct Resource {
    std::string name;
    const json* root;
  };
  struct Wanted {
    const json* schema;
    const json* resource;
    std::string place;  ///< for messages
  };

  static Result<> refuse(const std::string& place, const std::string& what) {
    return fail(ErrorCode::invalid, (place.empty() ? "" : place + ": ") + what);
  }

  static std::string resource_name(std::string_view id) { return std::string(id.substr(0, id.find('#'))); }

  Result<> find_resources(const json& node) {
    if (!node.is_structured()) return {};
    if (&node != &document_.root_ && llm::is_resource_id(llm::member(node, "$id"))) {
      std::string name = resource_name(text_member(node, "$id"));
      if (std::ranges::find(resources_, name, &Resource::name) != resources_.end()) {
        return refuse("", "two schemas have the \"$id\" \"" + name + "\"");
      }
      resources_.push_back({std::move(name), &node});
    }
    for (const json& each : node) {
      Result<> found = find_resources(each);
      if (!found) return found;
    }
    return {};
  }

  Result<> read_schema(const Wanted& at) {
    const json& schema = *at.schema;
    if (schema.is_boolean() || !known_.insert(&schema).second) return {};
    if (!schema.is_object()) return refuse(at.place, "expected a schema, which is an object, true or false");
    const json* resource = llm::is_resource_id(llm::member(schema, "$id")) ? &schema : at.resource;
    for (const Keyword& keyword : kKeywords) {
      const auto found = schema.find(keyword.name);
      if (found == schema.end()) continue;
      const std::string place = at.place + "/" + std::string(keyword.name);
      Result<> done = read_keyword(keyword, Wanted{&*found, resource, place});
      if (!done) return done;
      if (keyword.name.starts_with("unevaluated")) document_.has_unevaluated_ = true;
    }
    return {};
  }

  Result<> read_keyword(const Keyword& keyword, const Wanted& at) {
    const json& value = *at.schema;
    const char* problem = shape_problem(keyword.shape, value);
    if (problem != nullptr) return refuse(at.place, problem);
    switch (keyword.shape) {
      case Shape::schema:
        wanted_.push_back(at);
        return {};
      case Shape::schema_or_list:
        if (value.is_array()) return want_each(at);
        wanted_.push_back(at);
        return {};
      case Shape::schemas:
        return value.is_array() ? want_each(at) : refuse(at.place, "expected a list of schemas");
      case Shape::dependents:
      case Shape::schemas_by_name:
      case Shape::schemas_by_pattern:
        return read_map(keyword.shape, at);
      case Shape::pattern:
        return value.is_string() ? read_pattern(value.get<std::string>(), at.place)
                                 : refuse(at.place, "expected a regular expression");
      case Shape::reference:
        return read_reference(keyword, at);
      default:
        return {};
    }
  }

  Result<> want_each(const Wanted& at) {
    for (const auto& entry : at.schema->items()) {
      wanted_.push_back({&entry.value(), at.resource, at.place + "/" + entry.key()});
    }
    return {};
  }

  Result<> read_map(Shape shape, const Wanted& at) {
    if (!at.schema->is_object()) return refuse(at.place, "expected an object");
    for (const auto& entry : at.schema->items()) {
      const std::string place = at.place + "/" + entry.key();
      if (shape == Shape::schemas_by_pattern) {
        Result<> done = read_pattern(entry.key(), place);
        if (!done) return done;
      }
      if (shape == Shape::dependents && entry.value().is_array()) {
        const char* problem = shape_problem(Shape::texts, entry.value());
        if (problem != nullptr) return refuse(place, problem);
        continue;
      }
      wanted_.push_back({&entry.value(), at.resource, place});
    }
    return {};
  }

  Result<> read_pattern(const std::string& expression, const std::string& place) {
    Result<SchemaPattern> pattern = SchemaPattern::make(expression);
    if (!pattern) return refuse(place, "'" + expression + "' cannot be enforced: " + pattern.error().message);
    document_.patterns_.try_emplace(expression, std::move(*pattern));
    return {};
  }

  Result<> read_reference(const Keyword& keyword, const Wanted& at) {
    if (!at.schema->is_string()) return refuse(at.place, "expected a reference");
    const auto& text = at.schema->get_ref<const std::string&>();
    // Within one resource the dynamic scope holds nothing else, so these are references like others.
    if (keyword.name != "$ref" && resources_.size() > 1) {
      return refuse(at.place, "dynamic references across several \"$id\"s cannot be enforced");
    }
    const std::string name = resource_name(text);
    const auto named = std::ranges::find(resources_, name, &Resource::name);
    const json* resource = name.empty() ? at.resource : named == resources_.end() ? nullptr : named->root;
    const std::size_t hash = text.find('#');
    const std::string fragment = hash == std::string::npos ? "#" : text.substr(hash);
    const json* target = resource == nullptr ? nullptr : llm::find_fragment(*resource, fragment);
    if (target == nullptr) return refuse(at.place, "\"" + text + "\" leads to nothing in the schema");
    document_.targets_.emplace(at.schema, target);
    wanted_.push_back({target, resource, text});
    return {};
  }

  SchemaDocument& document_;
  std::vector<Resource> resources_;
  std::vector<Wanted> wanted_;
  std::set<const json*> known_;
};

Result<std::shared_ptr<const SchemaDocument>> SchemaDocument::read(json root) {
  std::shared_ptr<SchemaDocument> document(new SchemaDocument(std::move(root)));
  Result<> done = SchemaReader(*document).read();
  if (!done) return fail(std::move(done).error());
  return document;
}

bool SchemaDocument::is_match(const std::string& expression, std::string_view text) const {
  return patterns_.at(expression).is_match(text);
}

}  // namespace parley::tools
