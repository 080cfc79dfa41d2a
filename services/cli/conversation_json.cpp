#include "services/cli/conversation_json.hpp"

#include "services/cli/error_view.hpp"

namespace parley::cli {

using nlohmann::json;

json usage_to_json(const messages::Usage& usage) {
  constexpr double kNanoUsd = 1e9;
  return {{"input_tokens", usage.input_tokens},
          {"output_tokens", usage.output_tokens},
          {"cost_usd", static_cast<double>(usage.cost_nano_usd) / kNanoUsd}};
}

json part_to_json(const messages::TextPart& part) {
  return {{"event", "part"}, {"from", part.from}, {"text", part.text}};
}

json event_to_json(const messages::TeamEvent& event) {
  return {{"event", event.event},   {"team", event.team}, {"from", event.from},
          {"detail", event.detail}, {"text", event.text}, {"usage", usage_to_json(event.usage)}};
}

json answer_to_json(const messages::Answer& answer) {
  return {{"event", "answer"},
          {"from", answer.from},
          {"text", answer.text},
          {"stop_reason", answer.stop_reason},
          {"tools_used", answer.tools_used},
          {"usage", usage_to_json(answer.usage)}};
}

json failure_to_json(const Error& error) { return {{"event", "failed"}, {"error", error_to_json(error)}}; }

}  // namespace parley::cli
