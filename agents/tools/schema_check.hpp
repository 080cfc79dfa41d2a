// One check of a value against a schema: walks both, notes what does not fit. Internal to JsonSchema; pure.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "agents/tools/schema_assertions.hpp"

namespace parley::tools {

class SchemaCheck {
 public:
  /// The document must outlive the check.
  explicit SchemaCheck(const SchemaDocument& document) : document_(document) {}
  [[nodiscard]] SchemaProblems problems(const nlohmann::json& value);

 private:
  using Json = nlohmann::json;

  /// A place in the value, as a JSON pointer made only when a problem is noted.
  struct Place {
    const Place* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;
    [[nodiscard]] std::string str() const;
  };

  /// What came of one schema for one value.
  struct Report {
    SchemaProblems problems = {};
    /// What its keywords have looked at, for `unevaluated…`; kept only where the document asks.
    std::set<std::string_view> members = {};
    std::set<std::size_t> items = {};

    [[nodiscard]] bool is_good() const { return problems.empty(); }
    [[nodiscard]] bool is_full() const;
    void note(const Place& place, std::string what);
    /// Of another value.
    void add_problems(Report&& other);
    /// Of another schema for the same value.
    void add(Report&& other);
  };

  [[nodiscard]] Report check(const Json& schema, const Json& value, const Place& place);
  [[nodiscard]] Report check_object_schema(const Json& schema, const Json& value, const Place& place);
  void check_references(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_items(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_contained(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_members(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_dependents(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_combined(const Json& schema, const Json& value, const Place& place, Report& report);
  void check_alternatives(const Json& alternatives, bool is_exactly_one, const Json& value, const Place& place,
                          Report& report);
  void check_unevaluated(const Json& schema, const Json& value, const Place& place, Report& report);

  const SchemaDocument& document_;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  bool is_exhausted_ = false;
};

}  // namespace parley::tools
