// A JSON Schema that has been read: its references lead somewhere, its expressions are compiled, and what could not be
// enforced has been refused. Internal to JsonSchema; never changes, any thread.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agents/tools/schema_pattern.hpp"
#include "libmsg/core/error.hpp"

namespace parley::tools {

class SchemaDocument {
 public:
  /// Fails with `invalid`, naming the place, for keywords that are malformed, for references that lead to nothing or
  /// outside, and for expressions that RE2 cannot keep. Unknown keywords are annotations, as the standard has it.
  static Result<std::shared_ptr<const SchemaDocument>> read(nlohmann::json root);

  SchemaDocument(const SchemaDocument&) = delete;
  SchemaDocument& operator=(const SchemaDocument&) = delete;

  [[nodiscard]] const nlohmann::json& root() const { return root_; }
  /// The schema that the value of a `$ref`, `$dynamicRef` or `$recursiveRef` of this document names.
  [[nodiscard]] const nlohmann::json& target(const nlohmann::json& reference) const { return *targets_.at(&reference); }
  /// Whether a text matches an expression of this document.
  [[nodiscard]] bool is_match(const std::string& expression, std::string_view text) const;
  /// Whether anything asks what the other keywords have looked at.
  [[nodiscard]] bool has_unevaluated() const { return has_unevaluated_; }

 private:
  friend class SchemaReader;
  explicit SchemaDocument(nlohmann::json root) : root_(std::move(root)) {}

  nlohmann::json root_;
  std::unordered_map<const nlohmann::json*, const nlohmann::json*> targets_;
  std::map<std::string, SchemaPattern, std::less<>> patterns_;
  bool has_unevaluated_ = false;
};

}  // namespace parley::tools
