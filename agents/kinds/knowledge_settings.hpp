// Which knowledge base an agent or a tool uses: `{base: TYPE, scope: NAME, top: 5, max_bytes: 8192}`. Before anything
// runs; any thread.
#pragma once

#include <optional>

#include "agents/tools/knowledge_tools.hpp"
#include "services/config/reader.hpp"

namespace parley::kinds {

/// Reads the four keys of a map that may have others.
[[nodiscard]] tools::KnowledgeSource read_knowledge_source(config::ConfigReader& settings);

/// Reads the map `knowledge` of an agent: the facts that are put before it unasked. nullopt when there is none.
[[nodiscard]] std::optional<tools::KnowledgeSource> read_knowledge(config::ConfigReader& settings);

}  // namespace parley::kinds
