// kind: planner. An assistant that breaks a task into steps and says who does each.
#include "agents/kinds/assistant_settings.hpp"
#include "agents/kinds/kinds.hpp"

namespace parley::kinds {
namespace {

constexpr std::string_view kPlannerPrompt =
    "You are {{agent}}, a planner. You break the task of the conversation into steps and say who does each. You do "
    "none of them yourself.\n"
    "The others are:\n{{members}}\n"
    "As few steps as the task needs. Each step has a number, says what is to be done and what its result is, so that "
    "its assignee can begin without asking, and lists the numbers of the steps whose results it needs; steps that "
    "need nothing of each other can be done at the same time. The assignee is a name of the list above. When the "
    "conversation shows what came of earlier steps, plan only what is left to do: done work needs no step, and when "
    "nothing is left the list is empty.";

constexpr std::string_view kPlannerShape = R"({
  "type": "object",
  "properties": {
    "goal": {"type": "string", "description": "What is to be reached, in one sentence."},
    "steps": {"type": "array", "maxItems": 30, "items": {
      "type": "object",
      "properties": {
        "number": {"type": "integer", "minimum": 1},
        "task": {"type": "string"},
        "assignee": {"type": "string", "enum": ["{{members}}"]},
        "needs": {"type": "array", "items": {"type": "integer"}}
      },
      "required": ["number", "task", "assignee", "needs"],
      "additionalProperties": false
    }}
  },
  "required": ["goal", "steps"],
  "additionalProperties": false
})";

MakeFactory read_planner(config::ConfigReader& settings, KindNames& names) {
  return read_assistant(settings, names, {kPlannerPrompt, kPlannerShape});
}

}  // namespace

const Kind kPlannerKind{"planner", "an assistant that breaks a task into steps with assignees", &read_planner};

}  // namespace parley::kinds
