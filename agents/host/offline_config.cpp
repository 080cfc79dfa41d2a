#include "agents/host/offline_config.hpp"

#include <chrono>
#include <utility>

#include "agents/host/yaml_json.hpp"
#include "agents/text/pattern.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;

constexpr Range<milliseconds> kWaits{milliseconds(0), milliseconds(3'600'000)};
constexpr Range<std::uint64_t> kTokens{0, 100'000'000};

/// A pattern under one of two keys.
std::optional<llm::TextPattern> read_pattern(ConfigReader& reader, std::string_view text_key,
                                             std::string_view regex_key) {
  const bool is_regex = reader.has(regex_key);
  const bool is_text = reader.has(text_key);
  if (!is_regex && !is_text) return std::nullopt;
  if (is_regex && is_text) {
    reader.reject(regex_key, "expected either this or `" + std::string(text_key) + "`");
    return std::nullopt;
  }
  llm::TextPattern pattern;
  pattern.match = is_regex ? llm::TextPattern::Match::regex : llm::TextPattern::Match::contains;
  pattern.pattern = reader.required_text(is_regex ? regex_key : text_key);
  if (is_regex) {
    const Result<Pattern> compiled = Pattern::make(pattern.pattern);
    if (!compiled) reader.reject(regex_key, compiled.error().message);
  }
  return pattern;
}

void read_conditions(ConfigReader& reader, llm::OfflineRule& rule) {
  bool has_condition = false;
  for (const std::string_view key :
       {"contains", "regex", "tool_result", "tool_result_regex", "after_tool", "system", "history", "call"}) {
    if (reader.has(key)) has_condition = true;
  }
  if (!has_condition) {
    reader.reject(
        "expected a condition: `contains`, `regex`, `tool_result`, `tool_result_regex`, `after_tool`, "
        "`system`, `history` or `call`");
  }
  rule.user = read_pattern(reader, "contains", "regex");
  rule.tool_result = read_pattern(reader, "tool_result", "tool_result_regex");
  if (reader.has("after_tool")) rule.after_tool = reader.required_text("after_tool");
  if (reader.has("system")) rule.system = reader.required_text("system");
  if (reader.has("history")) rule.history = reader.required_text("history");
  if (reader.has("call")) rule.call = static_cast<std::uint32_t>(reader.integer("call", 1, {1, 1'000'000}));
}

llm::OfflineRule read_rule(ConfigReader& reader) {
  llm::OfflineRule rule;
  read_conditions(reader, rule);
  for (ConfigReader& entry : reader.children("tool_calls")) {
    llm::OfflineToolCall call;
    call.name = entry.required_text("name");
    call.arguments = read_json_object(entry, "arguments").value_or(call.arguments);
    entry.reject_unknown_keys();
    rule.tool_calls.push_back(std::move(call));
  }
  if (const std::optional<std::string> error = reader.optional_text("error")) {
    rule.error = error_code_from_string(*error);
    if (!rule.error) reader.reject("error", "expected the name of an error code, such as overloaded");
  }
  const bool needs_reply = rule.tool_calls.empty() && !rule.error;
  rule.reply = needs_reply ? reader.required_text("reply") : reader.text("reply");
  if (reader.has("latency")) rule.latency = reader.duration("latency", milliseconds(0), kWaits);
  if (reader.has("input_tokens")) rule.input_tokens = reader.integer("input_tokens", 0, kTokens);
  if (reader.has("output_tokens")) rule.output_tokens = reader.integer("output_tokens", 0, kTokens);
  reader.reject_unknown_keys();
  return rule;
}

}  // namespace

std::optional<llm::OfflineRules> read_offline_rules(ConfigReader& reader) {
  llm::OfflineOptions options;
  for (ConfigReader& entry : reader.children("rules")) options.rules.push_back(read_rule(entry));
  options.default_reply = reader.text("default_reply", options.default_reply);
  options.prefix = reader.text("prefix", options.prefix);
  options.latency = reader.duration("latency", options.latency, kWaits);
  options.chunk_interval = reader.duration("chunk_interval", options.chunk_interval, kWaits);
  options.chunk_bytes = reader.integer("chunk_bytes", options.chunk_bytes, {0, 1'048'576});
  // Compiling the expressions here tells about a wrong one with its line.
  Result<llm::OfflineRules> rules = llm::OfflineRules::make(std::move(options));
  if (rules) return std::move(*rules);
  reader.reject("rules", rules.error().message);
  return std::nullopt;
}

}  // namespace parley::host
