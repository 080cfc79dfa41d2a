// Names of tools as models take them: `[A-Za-z0-9_-]`, at most 64. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace parley::tools {

/// True for what every provider takes as it is.
[[nodiscard]] bool is_valid_tool_name(std::string_view name);

/// `prefix` + `name` with every other character as `_`; what is too long ends in a hash of the whole, so that two long
/// names stay two.
[[nodiscard]] std::string tool_name_for_models(std::string_view prefix, std::string_view name);

}  // namespace parley::tools
