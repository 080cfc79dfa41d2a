// One check of a value against a schema: walks both, notes what does not fit. Internal to JsonSchema; pure.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agents/tools/pattern.hpp"

namespace parley::tools {

/// The expressions of a schema, compiled once.
class SchemaPatterns {
 public:
  /// One that RE2 does not know matches everything.
  void add(const std::string& expression);
  [[nodiscard]] bool is_match(const std::string& expression, std::string_view text) const;

 private:
  std::map<std::string, Pattern, std::less<>> patterns_;
};

/// The subschema that `#` or `#/a/b` names; nullptr for anything else.
[[nodiscard]] const nlohmann::json* find_reference(const nlohmann::json& root, std::string_view reference);

class SchemaCheck {
 public:
  /// Both must outlive the check.
  SchemaCheck(const nlohmann::json& root, const SchemaPatterns& patterns) : root_(root), patterns_(patterns) {}
  [[nodiscard]] std::vector<std::string> problems(const nlohmann::json& value);

 private:
  using Problems = std::vector<std::string>;
  using Json = nlohmann::json;

  /// A place in the value, as a JSON pointer made only when a problem is noted.
  struct Place {
    const Place* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;
    [[nodiscard]] std::string str() const;
  };

  void check(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_object_schema(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_type(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_choice(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_number(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_text(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_array(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_object(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_members(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_dependents(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_combined(const Json& schema, const Json& value, const Place& place, Problems& out);
  void check_alternatives(const Json& alternatives, bool is_exactly_one, const Json& value, const Place& place,
                          Problems& out);
  [[nodiscard]] bool fits(const Json& schema, const Json& value, const Place& place);
  void note(const Place& place, std::string what, Problems& out) const;

  const Json& root_;
  const SchemaPatterns& patterns_;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace parley::tools
