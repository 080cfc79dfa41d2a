// JSON Schema, as far as tools and structured answers need it: does a value fit, and if not, what would a model have to
// change? The validation vocabulary of drafts 7 to 2020-12 except unevaluated*, contains and dynamic references;
// `format` is an annotation, as in 2020-12. Debian's validators (valijson, nlohmann's) match `pattern` with std::regex,
// whose recursion a long argument from a model could drive through the end of the stack. Pure; any thread.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::tools {

class JsonSchema {
 public:
  /// Fails with `invalid` for text that is not JSON, not an object or boolean, or that refers to something outside of
  /// itself: nothing is ever fetched. A `pattern` that RE2 does not know is not enforced.
  static Result<JsonSchema> parse(std::string_view text);
  static Result<JsonSchema> make(nlohmann::json schema);

  /// What is wrong with the value, a sentence each, beginning with the place as a JSON pointer (`/city: expected …`);
  /// empty when it fits. At most 8. Takes bounded time: a schema that branches without end counts as not fitting.
  [[nodiscard]] std::vector<std::string> problems(const nlohmann::json& value) const;

 private:
  struct Compiled;
  explicit JsonSchema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;  ///< shared: schemas are copied with tools
};

}  // namespace parley::tools
