#include "agents/kinds/assistant_settings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/knowledge_settings.hpp"
#include "agents/llm/json_text.hpp"
#include "services/config/yaml_json.hpp"

namespace parley::kinds {
namespace {

using config::ConfigReader;
using config::Range;
using config::YamlNode;
using nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kPromptNames{"agent", "conversation", "date", "members"};
constexpr std::string_view kAnswerTopicExpected = "expected a topic type: letters, digits and _ . - : =";
constexpr std::uintmax_t kMaxSchemaBytes = 1'048'576;

bool is_variable_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
}

void read_prompt(ConfigReader& settings, std::string_view fallback, AssistantOptions& options) {
  std::vector<std::string> known(kPromptNames.begin(), kPromptNames.end());
  for (auto& [name, value] : settings.text_map("variables")) {
    if (!is_variable_name(name) || std::ranges::find(known, name) != known.end()) {
      settings.reject("variables", "'" + name + "': expected a name of a-z, 0-9 and _, and not one of " +
                                       "agent, conversation, date, members");
    }
    known.push_back(name);
    options.variables.emplace(std::move(name), std::move(value));
  }
  Result<PromptTemplate> prompt = PromptTemplate::parse(settings.text("system_prompt", std::string(fallback)), known);
  if (prompt) {
    options.system_prompt = std::move(*prompt);
  } else {
    settings.reject("system_prompt", prompt.error().message);
  }
}

/// Keys that belong to another strategy are unknown ones.
void read_strategy(ConfigReader& settings, ContextLimits& limits) {
  using Strategy = ContextLimits::Strategy;
  constexpr Range<std::uint64_t> kMessages{1, 10'000};
  constexpr Range<std::uint64_t> kTokens{100, 100'000'000};
  switch (limits.strategy) {
    case Strategy::everything:
      break;
    case Strategy::last_messages:
      limits.max_messages = settings.integer("max_messages", limits.max_messages, kMessages);
      break;
    case Strategy::head_and_tail:
      limits.head = settings.integer("head", limits.head, {0, 10'000});
      limits.tail = settings.integer("tail", limits.tail, kMessages);
      break;
    case Strategy::summary:
      limits.keep_messages = settings.integer("keep_messages", limits.keep_messages, {0, 10'000});
      [[fallthrough]];
    case Strategy::token_budget:
      limits.max_tokens = settings.integer("max_tokens", limits.max_tokens, kTokens);
      break;
  }
}

/// `context: {strategy, …}`; the name of the model for summaries, if there is one.
std::string read_context(ConfigReader& settings, KindNames& names, AssistantOptions& options) {
  constexpr std::array<std::string_view, 5> kStrategies{"everything", "last_messages", "token_budget", "head_and_tail",
                                                        "summary"};
  std::optional<ConfigReader> context = settings.child("context");
  if (!context) return {};
  ContextLimits& limits = options.loop.context;
  if (!context->has("strategy"))
    context->reject("strategy",
                    "expected everything, last_messages, token_budget, "
                    "head_and_tail or summary");
  limits.strategy = static_cast<ContextLimits::Strategy>(context->choice("strategy", kStrategies, 0));
  read_strategy(*context, limits);
  std::string model;
  if (limits.strategy == ContextLimits::Strategy::summary) {
    if (context->has("model")) model = read_model_name(*context, names);
    options.summary.prompt = context->text("prompt", options.summary.prompt);
    options.summary.max_tokens =
        static_cast<std::uint32_t>(context->integer("summary_tokens", options.summary.max_tokens, {16, 100'000}));
  }
  context->reject_unknown_keys();
  return model;
}

void read_history(ConfigReader& settings, AssistantOptions& options) {
  // What is to be summed up must not be forgotten before.
  const bool is_summed_up = options.loop.context.strategy == ContextLimits::Strategy::summary;
  HistoryLimits& limits = options.history;
  if (is_summed_up) limits = {.max_turns = 10'000, .max_bytes = std::size_t{1024} * 1024};
  limits.max_turns = settings.integer("max_history_turns", limits.max_turns, {0, 10'000});
  limits.max_bytes = settings.integer("max_history_bytes", limits.max_bytes, {0, 16'777'216});
}

llm::ToolChoice read_tool_choice(ConfigReader& settings) {
  const std::string choice = settings.text("tool_choice", "auto");
  using Mode = llm::ToolChoice::Mode;
  if (choice == "auto") return {};
  if (choice == "none") return {Mode::none};
  if (choice == "required") return {Mode::required};
  if (choice.empty()) settings.reject("tool_choice", "expected auto, none, required or the name of a tool");
  return {Mode::named, choice};
}

void read_tool_settings(ConfigReader& settings, ToolLoopOptions& loop) {
  loop.max_rounds = static_cast<std::uint32_t>(settings.integer("max_tool_rounds", loop.max_rounds, {1, 1000}));
  loop.max_parallel = static_cast<std::uint32_t>(settings.integer("max_parallel_tools", loop.max_parallel, {1, 64}));
  loop.is_parallel_allowed = settings.flag("parallel_tool_calls", loop.is_parallel_allowed);
  loop.is_reflecting = settings.flag("reflect", loop.is_reflecting);
  loop.tool_choice = read_tool_choice(settings);
}

/// `handoffs: any`, or names with or without descriptions.
HandoffPolicy read_handoffs(ConfigReader& settings) {
  HandoffPolicy policy;
  std::vector<config::TextOrReader> items = settings.items("handoffs");
  for (config::TextOrReader& item : items) {
    HandoffTarget target{item.text};
    if (item.map) {
      target.name = item.map->required_text("name");
      target.description = item.map->text("description");
      item.map->reject_unknown_keys();
    } else if (item.text == "any") {
      policy.is_any = true;
      continue;
    }
    const bool is_new = std::ranges::find(policy.targets, target.name, &HandoffTarget::name) == policy.targets.end();
    if (is_valid_agent_type(target.name) && is_new) {
      policy.targets.push_back(std::move(target));
    } else if (!item.map || !target.name.empty()) {
      settings.reject("handoffs", "'" + target.name + "': expected names of members, each once, or any");
    }
  }
  return policy;
}

/// The text of a file beside the configuration.
std::string read_beside(ConfigReader& settings, const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(settings.file()).parent_path() / name;
  std::error_code failure;
  const bool is_file = std::filesystem::is_regular_file(path, failure);
  if (!is_file || std::filesystem::file_size(path, failure) > kMaxSchemaBytes || failure) {
    settings.reject("output_schema", "expected a JSON Schema, or a file of at most 1 MiB with one");
    return {};
  }
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A map, JSON text, or the name of a file with either (JSON is YAML).
std::optional<ordered_json> read_schema_document(ConfigReader& settings, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) return config::to_json<ordered_json>(node);
  const bool is_file = !node.text.starts_with('{');
  const std::string text = is_file ? read_beside(settings, node.text) : node.text;
  if (text.empty()) return std::nullopt;
  // Not all JSON is YAML: tabs are not. The first look is for its bound on nesting.
  if (llm::parse_json(text)) return ordered_json::parse(text);
  const auto parsed = config::parse_yaml(text, is_file ? node.text : settings.file());
  if (parsed) return config::to_json<ordered_json>(parsed->root);
  settings.reject("output_schema", "expected a JSON Schema: " + parsed.error().str());
  return std::nullopt;
}

std::optional<StructuredAnswer> read_shape(ConfigReader& settings, std::string_view fallback) {
  const YamlNode* const node = settings.value("output_schema");
  std::optional<ordered_json> document;
  if (node == nullptr) {
    if (fallback.empty()) return std::nullopt;
    document = ordered_json::parse(fallback);
  } else if (node->kind == YamlNode::Kind::scalar && node->text == "none") {
    return std::nullopt;
  } else {
    document = read_schema_document(settings, *node);
  }
  if (!document) return std::nullopt;
  Result<StructuredAnswer> shape = StructuredAnswer::make("answer", std::move(*document));
  if (shape) return std::move(*shape);
  settings.reject("output_schema", shape.error().message);
  return std::nullopt;
}

/// What contradicts itself only in sum.
void check_together(ConfigReader& settings, const AssistantOptions& options, const std::vector<std::string>& tools) {
  const bool has_handoffs = options.handoffs.is_any || !options.handoffs.targets.empty();
  const bool is_forced = options.loop.tool_choice.mode == llm::ToolChoice::Mode::required ||
                         options.loop.tool_choice.mode == llm::ToolChoice::Mode::named;
  if (is_forced && tools.empty() && !has_handoffs) {
    settings.reject("tool_choice", "expected tools (or handoffs) beside it");
  }
  if (!options.loop.is_reflecting && options.structured) {
    settings.reject("reflect", "expected true: with an output_schema the model has the last word");
  }
}

}  // namespace

MakeFactory read_assistant(ConfigReader& settings, KindNames& names, const AssistantDefaults& defaults) {
  AssistantOptions options;
  read_prompt(settings, defaults.system_prompt, options);
  std::string summary_model = read_context(settings, names, options);
  read_history(settings, options);
  read_tool_settings(settings, options.loop);
  if (settings.has("temperature")) options.loop.temperature = settings.number("temperature", 1, {0, 2});
  if (settings.has("max_tokens")) {
    options.loop.max_tokens = static_cast<std::uint32_t>(settings.integer("max_tokens", 1024, {1, 1'000'000}));
  }
  options.handoffs = read_handoffs(settings);
  options.structured = read_shape(settings, defaults.output_schema);
  options.loop.max_repairs = static_cast<std::uint32_t>(settings.integer("max_repairs", 1, {0, 10}));
  options.loop.on_budget_exceeded = settings.text("on_budget_exceeded");
  options.knowledge = read_knowledge(settings);
  options.answer_topic = settings.text("answer_topic");
  if (!options.answer_topic.empty() && !is_valid_topic_type(options.answer_topic)) {
    settings.reject("answer_topic", std::string(kAnswerTopicExpected));
  }
  std::vector<std::string> tools = read_tool_names(settings, names);
  check_together(settings, options, tools);
  std::string model = read_model_name(settings, names);
  return [options = std::make_shared<const AssistantOptions>(std::move(options)), model = std::move(model),
          summary_model = std::move(summary_model),
          tools = std::move(tools)](const KindServices& services) -> AgentFactory {
    const auto shared = std::make_shared<AssistantServices>();
    shared->model = services.model(model);
    if (!summary_model.empty()) shared->summary_model = services.model(summary_model);
    if (!tools.empty()) shared->tools = services.tools(tools);
    shared->clock = services.clock;
    return [options, shared = std::shared_ptr<const AssistantServices>(shared)](const AgentId&) {
      return std::make_unique<Assistant>(options, shared);
    };
  };
}

namespace {

MakeFactory read_plain(ConfigReader& settings, KindNames& names) { return read_assistant(settings, names, {}); }

}  // namespace

const Kind kAssistantKind{"assistant", "answers by a chat model, with tools and a memory for each conversation",
                          &read_plain};

}  // namespace parley::kinds
