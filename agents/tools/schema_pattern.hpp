// A `pattern` of a JSON Schema. The standard wants those of ECMAScript; RE2, whose time is linear, knows all of them
// but back references and look-around. Of the latter the conditions that stand in front (`^(?=.*\d)(?!.*\.\.)rest`, as
// generators write for passwords and addresses) are expressions of their own for the same text, and so can be kept.
// Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/text/pattern.hpp"

namespace parley::tools {

class SchemaPattern {
 public:
  /// Fails with `invalid`, saying why, for what cannot be enforced.
  static Result<SchemaPattern> make(std::string_view expression);
  [[nodiscard]] bool is_match(std::string_view text) const;

 private:
  struct Condition {
    Pattern pattern;
    bool is_wanted;
  };
  explicit SchemaPattern(Pattern main) : main_(std::move(main)) {}

  Pattern main_;
  std::vector<Condition> conditions_;
};

}  // namespace parley::tools
