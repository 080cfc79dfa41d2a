// A kind of agent that a configuration can name (`kind: assistant`): how its settings are read and how agents are made
// from them. Adding a kind is one .cpp file that defines a Kind, and one line in registry.cpp.
// Reading happens before anything runs, any thread; factories and agents belong to the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "agents/people/question_board.hpp"
#include "agents/teams/conversation_observer.hpp"
#include "agents/tools/tool_box.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/agent.hpp"
#include "services/config/reader.hpp"

namespace parley::kinds {

/// What agents get from their host.
struct KindServices {
  /// The model of that name in the configuration; never null, because settings are checked against the names before.
  /// Shared: every activation keeps its model for as long as it lives.
  std::function<std::shared_ptr<llm::ChatModel>(const std::string& name)> model;
  /// The tools of these names in the configuration, with the policies that stand there.
  std::function<tools::ToolBox(const std::vector<std::string>& names)> tools;
  /// The questions to people that wait in this process; never null. Shared by the desk and the metrics page.
  std::shared_ptr<people::QuestionBoard> questions = nullptr;
  /// Counts the conversations of a team; null: nobody does.
  std::shared_ptr<teams::ConversationObserver> conversations = nullptr;
  /// For agents that tell their model the date; outlives them. May be null.
  const Clock* clock = nullptr;
  /// Told what agents do that is a tool's work without being one; null: nobody is.
  std::shared_ptr<tools::ToolObserver> tool_observer = nullptr;
};

/// Checked settings, waiting for the services: gives the factory for one agent type.
using MakeFactory = std::function<AgentFactory(const KindServices&)>;

/// What settings may refer to, and what they did refer to.
struct KindNames {
  std::span<const std::string> models;
  std::span<const std::string> tools = {};
  /// Those of `tools` that give several tools: `files` means all of them, `files.read` one.
  std::span<const std::string> toolsets = {};
  /// read_model_name() and read_tool_names() note here what the agent uses: only that is made, and only its key must be
  /// there.
  std::vector<std::string> used_models = {};
  std::vector<std::string> used_tools = {};
  /// Agent types (or capabilities) that a team counts among its members.
  std::vector<std::string> used_agents = {};
  /// A team notes that it ends when some money was spent.
  bool has_money_limit = false;
  /// What the machine must offer; run before anything is connected. A failure ends the process.
  std::vector<std::function<Result<>()>> checks = {};
};

struct Kind {
  std::string_view name;
  /// One line for `--help` and documents.
  std::string_view summary;
  /// Reads the kind's own keys of an agent's map (`type`, `kind` and the other common keys are read before it) and
  /// notes problems there. The result is used only if there were none.
  MakeFactory (*read)(config::ConfigReader& settings, KindNames& names);
  /// Manages a conversation of other agents (`parley run` looks for one).
  bool is_team = false;
};

/// Every kind, by name.
[[nodiscard]] std::span<const Kind> all_kinds();
/// nullptr for an unknown name.
[[nodiscard]] const Kind* find_kind(std::string_view name);

/// For kinds that need a model: reads `model` and checks it against the configured names. May be left out when there is
/// exactly one model.
[[nodiscard]] std::string read_model_name(config::ConfigReader& settings, KindNames& names);
/// Reads the list `tools` and checks each against the configured names. May be left out.
[[nodiscard]] std::vector<std::string> read_tool_names(config::ConfigReader& settings, KindNames& names);

}  // namespace parley::kinds
