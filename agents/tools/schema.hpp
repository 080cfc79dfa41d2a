// JSON Schema, as far as tools and structured answers need it: does a value fit, and if not, what would a model have to
// change? The validation vocabulary of drafts 4 to 2020-12; keywords beside `$ref` count, as since 2019-09, and
// `format` is an annotation, as in 2020-12. What could not be enforced is refused when the schema is read, never passed
// over. Debian's validators (valijson, nlohmann's) match `pattern` with std::regex, whose recursion a long argument
// from a model could drive through the end of the stack. Pure; any thread.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::tools {

class SchemaDocument;

class JsonSchema {
 public:
  /// Fails with `invalid` for text that is not JSON, not an object or boolean; and, naming the place, for keywords that
  /// are malformed, for references out of the schema (nothing is ever fetched), for dynamic references across several
  /// `$id`s and for a `pattern` that cannot be matched in linear time (schema_pattern.hpp).
  static Result<JsonSchema> parse(std::string_view text);
  static Result<JsonSchema> make(nlohmann::json schema);

  /// What is wrong with the value, a sentence each, beginning with the place as a JSON pointer (`/city: expected …`);
  /// empty when it fits. At most 8. Takes bounded time: a schema that branches without end counts as not fitting.
  [[nodiscard]] std::vector<std::string> problems(const nlohmann::json& value) const;

 private:
  explicit JsonSchema(std::shared_ptr<const SchemaDocument> document) : document_(std::move(document)) {}
  std::shared_ptr<const SchemaDocument> document_;  ///< shared: schemas are copied with tools
};

}  // namespace parley::tools
