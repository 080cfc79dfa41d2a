#include "services/cli/demo_script.hpp"

#include <array>
#include <spdlog/fmt/fmt.h>

#include "services/cli/table.hpp"

namespace parley::cli {

std::span<const DemoLine> demo_script() {
  static constexpr std::array<DemoLine, 8> kScript{{
      {"alice", "As an employee, how many days of leave do I have?", "hr", "the router finds the HR agent"},
      {"bob", "Is there budget left for a new laptop?", "finance", "another session, another agent"},
      {"alice", "And what if I fall ill during them?", "hr", "a follow-up goes straight to the same agent"},
      {"alice", "END", "user_proxy", "the conversation ends"},
      {"alice", "I paid for travel with my own money, where do receipts go?", "finance", "a new one is routed anew"},
      {"bob", "And how soon is the invoice paid?", "finance", "meanwhile Bob is still in his own conversation"},
      {"carol", "What is the weather like on Mars?", "router", "an unknown intent gets a question, not a guess"},
      {"bob", "END", "user_proxy", ""},
  }};
  return kScript;
}

std::string flow_of(const std::vector<Leg>& legs, std::string_view client) {
  std::string flow = "you";
  std::string last(client);
  for (const Leg& leg : legs) {
    if (leg.kind == "reply" || leg.kind == "part" || leg.kind == "error") continue;
    const std::string to = leg.to == client ? "you" : leg.to;
    if (leg.kind == "event" && flow.ends_with("→ you")) continue;  // the parts of a streamed answer
    if (leg.from != last && leg.from != client) flow += " → " + leg.from;
    flow += " → " + to;
    last = leg.to;
  }
  return flow;
}

std::vector<std::string> render_results(const std::vector<DemoResult>& results, std::size_t width) {
  std::vector<std::vector<std::string>> rows;
  for (const DemoResult& result : results) {
    const auto micros =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(result.latency).count());
    rows.push_back(
        {result.session, result.text, result.answered_by, format_micros(micros), std::to_string(result.legs.size())});
  }
  return render_table({{"SESSION"},
                       {"MESSAGE", Align::left, true},
                       {"ANSWERED BY"},
                       {"LATENCY", Align::right},
                       {"MESSAGES", Align::right}},
                      rows, width);
}

}  // namespace parley::cli
