// Reads the settings of assistants, and of the kinds that are assistants with a prompt of their own. Before anything
// runs; any thread.
#pragma once

#include <string_view>

#include "agents/kinds/assistant.hpp"
#include "agents/kinds/kind.hpp"

namespace parley::kinds {

/// What a kind brings for what its settings leave out.
struct AssistantDefaults {
  std::string_view system_prompt = {};
  /// JSON Schema text; empty: any text is an answer.
  std::string_view output_schema = {};
};

[[nodiscard]] MakeFactory read_assistant(config::ConfigReader& settings, KindNames& names,
                                         const AssistantDefaults& defaults);

}  // namespace parley::kinds
