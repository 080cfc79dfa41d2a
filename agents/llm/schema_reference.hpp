// Where a reference inside of a JSON Schema leads. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace parley::llm {

/// What a fragment names in a schema: `#` itself, `#/a/b` by its place, `#name` by an `$anchor` (a `$dynamicAnchor`, or
/// `$id: "#name"` as draft 7 has it). nullptr for what is not there, and for text that is no fragment. Points into
/// `schema`.
[[nodiscard]] const nlohmann::json* find_fragment(const nlohmann::json& schema, std::string_view fragment);

/// True for an `$id` that begins a schema of its own, which the references inside of it are relative to.
[[nodiscard]] bool is_resource_id(const nlohmann::json& id);

}  // namespace parley::llm
