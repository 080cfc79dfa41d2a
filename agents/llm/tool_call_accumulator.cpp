#include "agents/llm/tool_call_accumulator.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <utility>

#include "agents/llm/json_text.hpp"

namespace parley::llm {

bool ToolCallAccumulator::add(const nlohmann::json& piece) {
  const nlohmann::json& function = member(piece, "function");
  const auto index = count_member(piece, "index");
  const std::string_view id = text_member(piece, "id");
  Call* call = find(index, id, !text_member(function, "name").empty());
  if (call == nullptr) {
    if (!begin(index, id)) return false;
    call = &calls_.back();
  }
  extend(call->call, function);
  return true;
}

bool ToolCallAccumulator::add_whole(const nlohmann::json& call) {
  if (!begin(count_member(call, "index"), text_member(call, "id"))) return false;
  extend(calls_.back().call, member(call, "function"));
  return true;
}

ToolCallAccumulator::Call* ToolCallAccumulator::find(std::optional<std::uint64_t> index, std::string_view id,
                                                     bool has_name) {
  // The latest one first: with all indexes 0 an id-less piece continues the call that began last.
  for (Call& each : std::views::reverse(calls_)) {
    const bool is_same_index = !index || !each.index || *index == *each.index;
    if (id.empty() ? is_same_index : is_same_index && each.call.id == id) {
      const bool is_next_call = id.empty() && !index && has_name && !each.call.name.empty();
      return is_next_call ? nullptr : &each;
    }
    // The id may come behind the first piece.
    if (!id.empty() && index && each.index == index && each.call.id.empty()) {
      each.call.id = id;
      return &each;
    }
  }
  return nullptr;
}

bool ToolCallAccumulator::begin(std::optional<std::uint64_t> index, std::string_view id) {
  if (calls_.size() >= kMaxCalls) return false;
  Call& call = calls_.emplace_back();
  call.index = index;
  call.call.id = id;
  return true;
}

void ToolCallAccumulator::extend(messages::ToolCall& call, const nlohmann::json& function) {
  const std::size_t before = call.name.size() + call.arguments.size();
  // A name comes in one piece, in several, or again with each piece.
  if (const std::string_view name = text_member(function, "name"); name != call.name) call.name += name;
  const nlohmann::json& arguments = member(function, "arguments");
  if (arguments.is_string()) {
    call.arguments += arguments.get_ref<const std::string&>();
  } else if (arguments.is_object()) {
    call.arguments = to_text(arguments);
  }
  const std::size_t after = call.name.size() + call.arguments.size();
  if (after > before) bytes_ += after - before;
}

std::vector<messages::ToolCall> ToolCallAccumulator::calls(std::string_view fallback_id) const {
  std::vector<messages::ToolCall> calls;
  calls.reserve(calls_.size());
  for (const Call& each : calls_) {
    calls.push_back(each.call);
    if (calls.back().id.empty()) {
      calls.back().id = std::string(fallback_id).append("_").append(std::to_string(calls.size()));
    }
  }
  return calls;
}

nlohmann::json arguments_object(const std::string& arguments) {
  if (arguments.find_first_not_of(" \t\r\n") == std::string::npos) return nlohmann::json::object();
  std::optional<nlohmann::json> value = parse_json(arguments);
  if (value && value->is_object()) return std::move(*value);
  return {{"malformed_arguments", arguments}};
}

}  // namespace parley::llm
