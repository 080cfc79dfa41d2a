#include "agents/kinds/knowledge_settings.hpp"

#include "libmsg/runtime/messenger.hpp"

namespace parley::kinds {

tools::KnowledgeSource read_knowledge_source(config::ConfigReader& settings) {
  tools::KnowledgeSource source;
  source.base = settings.required_text("base");
  const bool is_target = source.base.empty() || (!source.base.contains('/') && Target::parse(source.base));
  if (!is_target) settings.reject("base", "expected the agent type of a knowledge base, or @capability");
  source.scope = settings.text("scope");
  if (!source.scope.empty() && !AgentId::make("any", source.scope)) {
    settings.reject("scope", "expected printable ASCII, at most 256 bytes");
  }
  source.top = static_cast<std::uint32_t>(settings.integer("top", source.top, {1, 100}));
  source.max_bytes = settings.integer("max_bytes", source.max_bytes, {256, 262'144});
  return source;
}

std::optional<tools::KnowledgeSource> read_knowledge(config::ConfigReader& settings) {
  std::optional<config::ConfigReader> reader = settings.child("knowledge");
  if (!reader) return std::nullopt;
  tools::KnowledgeSource source = read_knowledge_source(*reader);
  reader->reject_unknown_keys();
  return source;
}

}  // namespace parley::kinds
