#include "agents/host/tool_config.hpp"

#include <array>
#include <utility>

#include "agents/tools/tool_name.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using std::chrono::milliseconds;
using tools::ApprovalPattern;
using tools::ApprovalRule;

constexpr config::Range<milliseconds> kToolTimeouts{milliseconds(1), milliseconds(3'600'000)};
constexpr config::Range<milliseconds> kApprovalTimeouts{milliseconds(1000), milliseconds(86'400'000)};
constexpr std::array<std::string_view, 2> kRules{"never", "always"};

void read_approval_pattern(ConfigReader& reader, std::string_view key, std::string argument, const std::string& text,
                           ApprovalRule& rule) {
  Result<Pattern> pattern = Pattern::make(text);
  if (!pattern) {
    reader.reject(key, "'" + text + "': expected a regular expression (RE2): " + pattern.error().message);
    return;
  }
  rule.patterns.push_back({std::move(argument), std::move(*pattern)});
}

/// What is exempt is so as a whole: whatever else an argument says beside it may matter.
std::string whole(const std::string& expression) { return R"(\A(?:)" + expression + R"()\z)"; }

/// `approval: always`, or a map of `rule`, `patterns` and `arguments`, or `unless`, and `timeout`.
ApprovalRule read_approval(ConfigReader& settings) {
  ApprovalRule rule;
  if (settings.is_text("approval")) {
    if (settings.choice("approval", kRules, 0) == 1) rule.when = ApprovalRule::When::always;
    return rule;
  }
  std::optional<ConfigReader> reader = settings.child("approval");
  if (!reader) return rule;
  const bool has_rule = reader->has("rule");
  if (has_rule && reader->choice("rule", kRules, 0) == 1) rule.when = ApprovalRule::When::always;
  for (const std::string& text : reader->texts("patterns")) read_approval_pattern(*reader, "patterns", {}, text, rule);
  for (auto& [argument, text] : reader->text_map("arguments")) {
    read_approval_pattern(*reader, "arguments", argument, text, rule);
  }
  const bool has_patterns = reader->has("patterns") || reader->has("arguments");
  if (has_patterns) rule.when = ApprovalRule::When::matching;
  const auto exempt = reader->text_map("unless");
  const bool has_exempt = reader->has("unless");
  for (const auto& [argument, text] : exempt) read_approval_pattern(*reader, "unless", argument, whole(text), rule);
  if (has_exempt) rule.when = ApprovalRule::When::unless;
  if (has_exempt && exempt.empty())
    reader->reject("unless", "expected arguments and what they are when nobody is asked");
  if (int{has_rule} + int{has_patterns} + int{has_exempt} != 1) {
    reader->reject("expected one of `rule`, `patterns` and `arguments`, or `unless`");
  }
  rule.timeout = reader->duration("timeout", rule.timeout, kApprovalTimeouts);
  reader->reject_unknown_keys();
  return rule;
}

const ToolType* read_type(ConfigReader& settings) {
  const std::string name = settings.required_text("type");
  std::vector<std::string> known;
  for (const ToolType& each : all_tool_types()) {
    if (each.name == name) return &each;
    known.emplace_back(each.name);
  }
  if (name.empty()) return nullptr;
  std::string expected = "expected one of";
  for (const std::string& each : known) expected += (&each == &known.front() ? " " : ", ") + each;
  const std::vector<std::string> nearest = nearest_names(name, known, 1);
  if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
  settings.reject("type", std::move(expected));
  return nullptr;
}

ToolConfig read_tool(ConfigReader& settings, const std::string& name) {
  ToolConfig tool;
  const ToolType* type = read_type(settings);
  // Without a type nobody can tell which of its other keys are right, so they are not looked at.
  if (type == nullptr) return tool;
  tool.type = type->name;
  tool.is_toolset = type->is_toolset;
  tool.policy.timeout = settings.duration("timeout", type->default_timeout, kToolTimeouts);
  tool.policy.max_result_bytes = settings.integer("max_result_bytes", tool.policy.max_result_bytes, {256, 3'145'728});
  tool.policy.approval = read_approval(settings);
  ToolCommon common;
  common.name = name;
  common.folder = std::filesystem::path(settings.file()).parent_path();
  common.timeout = tool.policy.timeout;
  common.max_result_bytes = tool.policy.max_result_bytes;
  if (!type->is_toolset) common.description = settings.text("description");
  tool.make = type->read(settings, common);
  settings.reject_unknown_keys();
  return tool;
}

}  // namespace

void read_tools(ConfigReader& root, std::map<std::string, ToolConfig>& tools) {
  for (auto& [name, settings] : root.named_children("tools")) {
    if (!tools::is_valid_tool_name(name)) settings.reject("expected a name of letters, digits, _ and -, at most 64");
    ToolConfig tool = read_tool(settings, name);
    tool.line = settings.line();
    const bool is_new = tools.try_emplace(name, std::move(tool)).second;
    if (!is_new) settings.reject("expected a name that no shared tool of the suite has");
  }
}

ToolAuditConfig read_tool_audit(ConfigReader& root) {
  constexpr std::array<std::string_view, 3> kArguments{"hash", "full", "none"};
  ToolAuditConfig audit;
  std::optional<ConfigReader> reader = root.child("tool_audit");
  if (!reader) return audit;
  audit.is_logged = reader->flag("log", audit.is_logged);
  const std::string file = reader->text("file");
  if (!file.empty()) audit.file = std::filesystem::path(reader->file()).parent_path() / file;
  audit.arguments = static_cast<ToolAuditConfig::Arguments>(reader->choice("arguments", kArguments, 0));
  reader->reject_unknown_keys();
  return audit;
}

}  // namespace parley::host
