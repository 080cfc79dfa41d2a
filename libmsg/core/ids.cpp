#include "libmsg/core/ids.hpp"

#include <algorithm>
#include <string>

namespace parley {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool is_topic_char(char c) { return is_name_char(c) || c == ':' || c == '='; }

bool is_printable(char c) { return c >= 0x20 && c <= 0x7E; }

std::string quoted(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, 60)) shown += is_printable(c) ? c : '?';
  return "'" + shown + (text.size() > 60 ? "…'" : "'");
}

Error bad_type(std::string_view what, std::string_view text, std::string_view allowed) {
  return {ErrorCode::invalid, std::string(what) + " " + quoted(text) + " must be 1 to " +
                                  std::to_string(kMaxAgentTypeBytes) + " characters of " + std::string(allowed)};
}

Error bad_key(std::string_view what, std::string_view text) {
  return {ErrorCode::invalid, std::string(what) + " " + quoted(text) + " must be 1 to " +
                                  std::to_string(kMaxAgentKeyBytes) + " printable ASCII characters"};
}

}  // namespace

bool is_valid_agent_type(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgentTypeBytes && std::ranges::all_of(text, is_name_char);
}

bool is_valid_agent_key(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgentKeyBytes && std::ranges::all_of(text, is_printable);
}

bool is_valid_topic_type(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgentTypeBytes && std::ranges::all_of(text, is_topic_char);
}

SplitId split_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

Result<AgentId> AgentId::make(std::string_view type, std::string_view key) {
  if (!is_valid_agent_type(type)) return fail(bad_type("agent type", type, "[A-Za-z0-9_.-]"));
  if (!is_valid_agent_key(key)) return fail(bad_key("agent key", key));
  return AgentId(std::string(type), std::string(key));
}

Result<AgentId> AgentId::parse(std::string_view text) {
  const SplitId parts = split_id(text);
  return make(parts.type, text.contains('/') ? parts.key : kDefaultKey);
}

Result<Topic> Topic::make(std::string_view type, std::string_view source) {
  if (!is_valid_topic_type(type)) return fail(bad_type("topic type", type, "[A-Za-z0-9_.:=-]"));
  if (!is_valid_agent_key(source)) return fail(bad_key("topic source", source));
  return Topic(std::string(type), std::string(source));
}

Result<Topic> Topic::parse(std::string_view text) {
  const SplitId parts = split_id(text);
  return make(parts.type, text.contains('/') ? parts.key : kDefaultKey);
}

}  // namespace parley
