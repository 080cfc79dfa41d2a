// An answer that must be JSON of a certain shape: what the model is told, and whether it kept to it. Models wrap JSON
// in fences and prose even when they are told not to; what can be read all the same is read. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "agents/tools/schema.hpp"
#include "libmsg/core/error.hpp"

namespace parley::kinds {

class StructuredAnswer {
 public:
  /// A list of allowed values that is only this stands for the names of the conversation's other members.
  static constexpr std::string_view kMembers = "{{members}}";

  /// `name` is what providers call the shape. Fails with `invalid` when this is no JSON Schema.
  static Result<StructuredAnswer> make(std::string name, nlohmann::ordered_json schema);

  [[nodiscard]] const llm::ResponseSchema& schema() const { return schema_; }
  /// The answer as JSON in one line, its members in the order of the text. Fails with `invalid` and what the model
  /// would have to change.
  [[nodiscard]] Result<std::string> read(std::string_view text) const;

  /// True when what is allowed depends on who takes part.
  [[nodiscard]] bool has_members() const { return has_members_; }
  /// The same for one conversation. Without any member every name is allowed.
  [[nodiscard]] StructuredAnswer for_members(const std::vector<std::string>& names) const;

 private:
  StructuredAnswer(llm::ResponseSchema schema, nlohmann::ordered_json document, tools::JsonSchema checked);

  llm::ResponseSchema schema_;
  nlohmann::ordered_json document_;
  tools::JsonSchema checked_;
  bool has_members_ = false;
};

/// What a model is told whose answer did not fit.
[[nodiscard]] std::string repair_request(std::string_view problems);

}  // namespace parley::kinds
