#include "services/cli/trace_view.hpp"

#include <algorithm>
#include <map>
#include <spdlog/fmt/fmt.h>

#include "services/cli/console.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/table.hpp"

namespace parley::cli {
namespace {

using wire::TraceHop;

/// From here on the table shows payloads, too.
constexpr std::size_t kWideConsole = 110;

bool is_answer(const TraceHop& hop) { return hop.kind == "reply" || hop.kind == "part" || hop.kind == "error"; }

/// Builds legs hop by hop. A message goes in without a delivery id and out with one; an answer goes in from the worker
/// that has the delivery and out to whoever asked.
class LegBuilder {
 public:
  explicit LegBuilder(std::uint64_t start_us) : start_us_(start_us) {}

  void add(const TraceHop& hop) {
    if (is_answer(hop)) {
      add_answer(hop);
    } else if (hop.delivery_id == 0) {
      open_message(hop);
    } else {
      deliver_message(hop);
    }
  }

  [[nodiscard]] std::vector<Leg> take() { return std::move(legs_); }

 private:
  struct Delivered {
    std::string from;
    std::string to;
    std::uint64_t at_us = 0;       ///< when it went out to the worker
    bool has_open_answer = false;  ///< an answer that went in waits for its way out
    std::size_t answer = 0;
  };

  Leg& push(const TraceHop& hop, std::string from, std::string to) {
    Leg& leg = legs_.emplace_back();
    leg.at_us = hop.at_us - std::min(start_us_, hop.at_us);
    leg.kind = hop.kind;
    leg.from = std::move(from);
    leg.to = std::move(to);
    leg.payload_type = hop.payload_type;
    leg.payload_bytes = hop.payload_bytes;
    leg.code = hop.code;
    return leg;
  }

  void close(Leg& leg, const TraceHop& hop) {
    const std::uint64_t out_us = hop.at_us - std::min(start_us_, hop.at_us);
    leg.broker_us = out_us - std::min(leg.at_us, out_us);
    leg.is_delivered = true;
  }

  void open_message(const TraceHop& hop) {
    Leg& leg = push(hop, hop.source.empty() ? hop.peer : hop.source, hop.target);
    if (hop.kind == "event") leg.topic = hop.target;
    open_[{hop.source.empty() ? hop.peer : hop.source, hop.message_id}] = legs_.size() - 1;
  }

  void deliver_message(const TraceHop& hop) {
    const std::size_t index = find_open(hop);
    const bool is_event = hop.kind == "event";
    const std::string to = is_event ? hop.peer : hop.target;
    std::string from = hop.source;
    if (index < legs_.size()) {
      from = legs_[index].from;
      if (is_event && legs_[index].is_delivered) {
        // Another recipient of the same event: a leg of its own.
        Leg copy = legs_[index];
        copy.to = to;
        close(legs_.emplace_back(std::move(copy)), hop);
      } else {
        legs_[index].to = to;
        close(legs_[index], hop);
      }
    }
    delivered_[hop.delivery_id] = {std::move(from), to, hop.at_us, false, 0};
  }

  /// The leg of the message that goes out now; legs_.size() when its way in is no longer recorded.
  [[nodiscard]] std::size_t find_open(const TraceHop& hop) const {
    std::size_t found = legs_.size();
    for (const auto& [key, index] : open_) {
      const Leg& leg = legs_[index];
      const bool is_sender = hop.source.empty() || key.first == hop.source;
      const bool is_same_target = leg.topic.empty() ? leg.to == hop.target : leg.topic == hop.target;
      if (is_sender && key.second == hop.message_id && leg.kind == hop.kind && is_same_target) found = index;
    }
    return found;
  }

  void add_answer(const TraceHop& hop) {
    const auto delivery = delivered_.find(hop.delivery_id);
    if (delivery == delivered_.end()) {
      close(push(hop, hop.source.empty() ? hop.peer : hop.source, hop.peer), hop);
      return;
    }
    Delivered& state = delivery->second;
    if (state.has_open_answer) {
      close(legs_[state.answer], hop);
      state.has_open_answer = false;
      return;
    }
    state.has_open_answer = true;
    Leg& leg = push(hop, state.to, state.from);
    if (hop.kind != "part") leg.handled_us = hop.at_us - std::min(state.at_us, hop.at_us);
    state.answer = legs_.size() - 1;
  }

  std::uint64_t start_us_;
  std::vector<Leg> legs_;
  std::map<std::pair<std::string, std::uint64_t>, std::size_t> open_;  ///< by sender and message id
  std::map<std::uint64_t, Delivered> delivered_;                       ///< by delivery id
};

std::string what_of(const Leg& leg) {
  if (!leg.code.empty()) return "error " + leg.code;
  std::string what = leg.topic.empty() ? leg.kind : "event " + leg.topic;
  if (leg.count > 1) what += fmt::format(" ×{}", leg.count);
  return what;
}

std::string sum_of(const std::vector<Leg>& legs) {
  const auto last = std::ranges::max_element(legs, {}, [](const Leg& leg) { return leg.at_us + leg.broker_us; });
  const std::uint64_t total_us = last == legs.end() ? 0 : last->at_us + last->broker_us;
  return fmt::format("{} {} in {}", legs.size(), legs.size() == 1 ? "message" : "messages", format_micros(total_us));
}

/// Mermaid ends a text at `;` and `#`, and takes no line breaks.
std::string mermaid_text(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) safe += c == ';' || c == '#' || c == '\n' || c == '"' ? ' ' : c;
  return safe;
}

std::string_view arrow_of(const Leg& leg) {
  if (!leg.code.empty()) return "--x";
  if (leg.kind == "reply" || leg.kind == "part") return "-->>";
  return leg.kind == "request" ? "->>" : "-)";
}

}  // namespace

std::vector<Leg> legs_of(const wire::TraceReport& report) {
  if (report.hops.empty()) return {};
  LegBuilder builder(report.hops.front().at_us);
  for (const TraceHop& hop : report.hops) builder.add(hop);
  return builder.take();
}

std::vector<Leg> summarised(const std::vector<Leg>& legs) {
  std::vector<Leg> summary;
  for (const Leg& leg : legs) {
    const auto is_like_it = [&leg](const Leg& other) {
      return other.kind == leg.kind && other.from == leg.from && other.to == leg.to && other.topic == leg.topic &&
             other.payload_type == leg.payload_type;
    };
    const bool can_repeat = leg.kind == "part" || leg.kind == "event";
    const auto known = can_repeat ? std::find_if(summary.begin(), summary.end(), is_like_it) : summary.end();
    if (known == summary.end()) {
      summary.push_back(leg);
    } else {
      known->count += leg.count;
      known->payload_bytes += leg.payload_bytes;
    }
  }
  return summary;
}

std::vector<std::string> render_legs(const std::vector<Leg>& legs, std::size_t width) {
  // On a narrow console the payload gives way to names that can be read.
  const bool is_wide = width >= kWideConsole;
  std::vector<Column> columns{
      {"TIME", Align::right},    {"DELTA", Align::right},     {"FROM", Align::left, true}, {""},
      {"TO", Align::left, true}, {"WHAT", Align::left, true}, {"HANDLED", Align::right},   {"BROKER", Align::right}};
  if (is_wide) columns.insert(columns.end(), {{"PAYLOAD", Align::left, true}, {"BYTES", Align::right}});
  std::vector<std::vector<std::string>> rows;
  std::uint64_t before_us = 0;
  for (const Leg& leg : legs) {
    std::vector<std::string> row{format_micros(leg.at_us),
                                 "+" + format_micros(leg.at_us - std::min(before_us, leg.at_us)),
                                 leg.from,
                                 leg.is_delivered ? "→" : "✗",
                                 leg.to,
                                 what_of(leg),
                                 leg.handled_us > 0 ? format_micros(leg.handled_us) : "",
                                 leg.is_delivered ? format_micros(leg.broker_us) : "-"};
    if (is_wide) row.insert(row.end(), {leg.payload_type, std::to_string(leg.payload_bytes)});
    rows.push_back(std::move(row));
    before_us = leg.at_us;
  }
  std::vector<std::string> lines = render_table(columns, rows, width);
  lines.emplace_back();
  lines.push_back(sum_of(legs));
  for (const Leg& leg : legs) {
    if (leg.code.empty()) continue;
    lines.push_back(fmt::format("{} failed after {}: {}", leg.from, format_micros(leg.at_us), leg.code));
  }
  return lines;
}

std::vector<nlohmann::json> hops_json(const wire::TraceReport& report) {
  std::vector<nlohmann::json> objects;
  std::map<std::uint64_t, std::uint64_t> delivered_at;
  std::uint64_t before_us = report.hops.empty() ? 0 : report.hops.front().at_us;
  const std::uint64_t start_us = before_us;
  for (const TraceHop& hop : report.hops) {
    nlohmann::json object = to_json(hop);
    object["since_start_us"] = hop.at_us - std::min(start_us, hop.at_us);
    object["delta_us"] = hop.at_us - std::min(before_us, hop.at_us);
    before_us = hop.at_us;
    if (!is_answer(hop) && hop.delivery_id != 0) {
      delivered_at.emplace(hop.delivery_id, hop.at_us);
    } else if (hop.kind != "part") {
      // The first hop of an answer is that of its arrival from the worker.
      if (const auto found = delivered_at.find(hop.delivery_id); found != delivered_at.end()) {
        object["handled_us"] = hop.at_us - std::min(found->second, hop.at_us);
        delivered_at.erase(found);
      }
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

std::vector<std::string> sequence_diagram(const std::vector<Leg>& legs) {
  std::vector<std::string> names;
  const auto participant = [&names](const std::string& name) {
    const auto known = std::find(names.begin(), names.end(), name);
    const auto index = static_cast<std::size_t>(known - names.begin());
    if (known == names.end()) names.push_back(name);
    return fmt::format("p{}", index + 1);
  };
  std::vector<std::string> arrows;
  for (const Leg& leg : legs) {
    const std::string from = participant(leg.from);
    const std::string to = participant(leg.to);
    std::string time = "+" + format_micros(leg.at_us);
    if (leg.handled_us > 0) time += ", handled in " + format_micros(leg.handled_us);
    arrows.push_back(fmt::format("    {}{}{}: {} ({})", from, arrow_of(leg), to, mermaid_text(what_of(leg)), time));
  }
  std::vector<std::string> lines{"sequenceDiagram"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    lines.push_back(fmt::format("    participant p{} as {}", i + 1, mermaid_text(names[i])));
  }
  lines.insert(lines.end(), arrows.begin(), arrows.end());
  return lines;
}

std::string format_micros(std::uint64_t micros) {
  if (micros < 1000) return fmt::format("{} µs", micros);
  if (micros < 1'000'000) return fmt::format("{:.1f} ms", static_cast<double>(micros) / 1e3);
  return fmt::format("{:.1f} s", static_cast<double>(micros) / 1e6);
}

}  // namespace parley::cli
