#include "services/cli/transcript.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/cli/error_view.hpp"
#include "services/cli/team_view.hpp"

namespace parley::cli {

using messages::Answer;
using messages::TeamEvent;
using nlohmann::json;

namespace {

/// RFC 3339, UTC, to the second.
std::string time_text(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

/// A fence that no line of `text` can close.
std::string fenced(const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != std::string::npos) fence += '`';
  return fence + "\n" + text + (text.ends_with('\n') ? "" : "\n") + fence + "\n";
}

std::string entry_text(const TeamEvent& event, bool is_unfinished) {
  if (event.event == "turn_started") {
    std::string title = "\n## " + event.from;
    if (!event.detail.empty()) title += " (" + event.detail + ")";
    if (!event.text.empty()) title += "\n\n*asked: " + first_line(event.text, 200) + "*";
    return title + "\n";
  }
  if (event.event == "turn_ended") {
    return "\n" + (is_unfinished ? "**" + event.from + "** (unfinished):\n\n" : std::string()) + event.text + "\n";
  }
  if (event.event == "tool_call") return "\n" + event.from + " uses `" + event.detail + "`:\n\n" + fenced(event.text);
  if (event.event == "tool_result") return "\nresult of `" + event.detail + "`:\n\n" + fenced(event.text);
  if (event.event == "handoff") return "\n*" + event.from + " hands over to " + event.text + "*\n";
  if (event.event == "question") return "\n*" + event.from + " asks a person: " + event.text + "*\n";
  if (event.event == "participant_failed") {
    return "\n*" + event.from + " failed: " + event.detail + ": " + event.text + "*\n";
  }
  if (event.event == "ended") return "\n*" + event.team + " ended: " + event.text + "*\n";
  return "\n*" + event.event + ": " + event.text + "*\n";
}

json usage_entry(const messages::Usage& usage) {
  return {{"input_tokens", usage.input_tokens},
          {"output_tokens", usage.output_tokens},
          {"cached_input_tokens", usage.cached_input_tokens},
          {"cost_usd", static_cast<double>(usage.cost_nano_usd) / 1e9}};
}

}  // namespace

Transcript::Transcript(std::string team, std::string task, WallTime started)
    : team_(std::move(team)), task_(std::move(task)), started_(started), ended_(started) {}

void Transcript::part(const messages::TextPart& piece) { unfinished_[piece.from] += piece.text; }

void Transcript::event(const TeamEvent& event, WallTime at) {
  usage_ = event.usage;
  if (event.event == "turn_ended") {
    ++turns_;
    unfinished_.erase(event.from);
  }
  if (event.event == "participant_failed") keep_unfinished(event.from, at);
  if (entries_.size() >= kMaxEntries) {
    ++left_out_;
    return;
  }
  entries_.push_back({at, event});
}

/// What somebody had said of a turn that has no end.
void Transcript::keep_unfinished(const std::string& from, WallTime at) {
  auto said = unfinished_.extract(from);
  if (said.empty() || said.mapped().empty()) return;
  if (entries_.size() >= kMaxEntries) {
    ++left_out_;
    return;
  }
  TeamEvent event{"turn_ended", team_, from, {}, std::move(said.mapped()), usage_};
  entries_.push_back({at, std::move(event), true});
}

void Transcript::finish(const Result<Answer>& answer, WallTime at) {
  ended_ = at;
  outcome_ = answer;
  if (answer) usage_ = answer->usage;
  // After the end of a conversation everything was said; what is left over are pieces of an inner answer.
  while (!answer && !unfinished_.empty()) {
    const std::string from = unfinished_.begin()->first;
    keep_unfinished(from, at);
  }
  unfinished_.clear();
}

std::string Transcript::markdown() const {
  std::string text = "# Conversation of " + team_ + "\n\n" + time_text(started_) + "\n\n## user\n\n" + task_ + "\n";
  for (const Entry& entry : entries_) text += entry_text(entry.event, entry.is_unfinished);
  if (left_out_ > 0) text += "\n*" + std::to_string(left_out_) + " more entries are left out*\n";
  text += "\n# Result\n\n";
  if (!outcome_) return text + "unknown\n";
  const auto seconds = std::chrono::duration<double>(ended_ - started_).count();
  const std::string figures = fmt::format("{} turns, {:.1f} s", turns_, seconds) +
                              (describe_usage(usage_).empty() ? "" : ", " + describe_usage(usage_));
  if (!*outcome_) {
    return text + "failed: " + to_string(outcome_->error().code) + ": " + outcome_->error().message + " (" + figures +
           ")\n";
  }
  return text + ((*outcome_)->stop_reason.empty() ? "answered" : (*outcome_)->stop_reason) + " (" + figures + ")\n\n" +
         (*outcome_)->text + "\n";
}

std::string Transcript::json(Layout layout) const {
  nlohmann::json entries = nlohmann::json::array();
  for (const Entry& entry : entries_) {
    nlohmann::json line{{"at", time_text(entry.at)},
                        {"event", entry.event.event},
                        {"team", entry.event.team},
                        {"from", entry.event.from},
                        {"text", entry.event.text}};
    if (!entry.event.detail.empty()) line["detail"] = entry.event.detail;
    if (entry.is_unfinished) line["is_unfinished"] = true;
    entries.push_back(std::move(line));
  }
  nlohmann::json all{{"team", team_},
                     {"task", task_},
                     {"started_at", time_text(started_)},
                     {"duration_ms", (ended_ - started_).count()},
                     {"entries", std::move(entries)},
                     {"left_out", left_out_},
                     {"usage", usage_entry(usage_)}};
  if (outcome_ && *outcome_) {
    all["answer"] = (*outcome_)->text;
    all["stop_reason"] = (*outcome_)->stop_reason;
  } else if (outcome_) {
    all["error"] = error_to_json(outcome_->error());
  }
  const int indent = layout == Layout::pretty ? 2 : -1;
  return all.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace parley::cli
