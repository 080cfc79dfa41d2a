#include "services/cli/team_view.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/cli/figures.hpp"
#include "services/cli/text_width.hpp"

namespace parley::cli {

using messages::TeamEvent;
using messages::TextPart;
using messages::Usage;

namespace {

constexpr std::size_t kTurnIndent = 2;

}  // namespace

std::string describe_usage(const Usage& usage) {
  const std::uint64_t tokens = usage.input_tokens + usage.output_tokens;
  if (tokens == 0) return {};
  std::string text = format_count(tokens) + (tokens == 1 ? " token" : " tokens");
  if (usage.cost_nano_usd > 0) text += ", " + format_cost(usage.cost_nano_usd);
  return text;
}

std::string first_line(std::string_view text, std::size_t width) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = text.substr(begin);
  const std::size_t end = rest.find('\n');
  std::string line = printable(rest.substr(0, end));
  const bool has_more =
      end != std::string_view::npos && rest.find_first_not_of(" \t\r\n", end) != std::string_view::npos;
  if (has_more) line += " …";
  return shortened(line, width);
}

TeamView::TeamView(Write write, Paint paint, std::size_t width, std::string team)
    : write_(std::move(write)),
      paint_(std::move(paint)),
      width_(std::max<std::size_t>(width, 20)),
      team_(std::move(team)) {}

TeamView::Turn& TeamView::turn_of(const std::string& from) {
  const auto known =
      std::ranges::find_if(turns_, [&from](const Turn& turn) { return turn.from == from && !turn.is_over; });
  if (known != turns_.end()) return *known;
  Turn turn;
  turn.from = from;
  turns_.push_back(std::move(turn));
  return turns_.back();
}

std::string TeamView::cost() const { return describe_usage(usage_); }

/// The first time that something of a turn is to be shown.
void TeamView::begin(Turn& turn) {
  if (std::exchange(turn.is_shown, true)) return;
  const std::string name = printable(turn.from);
  std::string about;
  for (const std::string& each : {turn.reason, cost()}) {
    if (!each.empty()) about += " · " + each;
  }
  const std::size_t used = display_width(name);
  const std::size_t room = width_ > used ? width_ - used : 1;
  write_("\n" + paint_(Color::cyan, name) + paint_(Color::dim, shortened(printable(about), room)) + "\n");
}

void TeamView::text(Turn& turn, std::string_view piece) {
  if (live_ == nullptr) live_ = &turn;
  turn.has_text = turn.has_text || !piece.empty();
  if (live_ != &turn) {
    if (std::exchange(turn.ends_with_line, false)) turn.held_back += '\n';
    turn.held_back += piece;
    return;
  }
  begin(turn);
  if (!wrapper_) {
    write_(std::string(kTurnIndent, ' '));
    wrapper_.emplace(width_, kTurnIndent, kTurnIndent);
  }
  write_(wrapper_->feed(printable(piece)));
}

void TeamView::close_line() {
  if (!wrapper_) return;
  write_(wrapper_->finish() + "\n");
  wrapper_.reset();
}

void TeamView::line(Turn& turn, Color color, std::string_view text) {
  if (live_ == nullptr) live_ = &turn;
  if (live_ != &turn) {
    turn.held_back += (turn.held_back.empty() ? "" : "\n") + std::string(text);
    turn.ends_with_line = true;
    return;
  }
  begin(turn);
  close_line();
  write_(std::string(kTurnIndent, ' ') + paint_(color, shortened(printable(text), width_ - kTurnIndent)) + "\n");
}

void TeamView::end(Turn& turn) {
  turn.is_over = true;
  if (live_ != &turn) return;
  close_line();
  live_ = nullptr;
  turns_.remove_if([&turn](const Turn& each) { return &each == &turn; });
  show_next();
}

/// Somebody has finished: shows what others have said meanwhile, all of those who have finished, too, and what there is
/// of the first who has not.
void TeamView::show_next() {
  while (live_ == nullptr) {
    const auto next =
        std::ranges::find_if(turns_, [](const Turn& turn) { return turn.is_over || !turn.held_back.empty(); });
    if (next == turns_.end()) return;
    Turn& turn = *next;
    live_ = &turn;
    const std::string waiting = std::exchange(turn.held_back, {});
    if (!waiting.empty()) text(turn, waiting);
    if (std::exchange(turn.ends_with_line, false)) close_line();
    if (!turn.is_over) return;
    close_line();
    live_ = nullptr;
    turns_.erase(next);
  }
}

void TeamView::part(const TextPart& piece) { text(turn_of(piece.from), piece.text); }

void TeamView::event(const TeamEvent& event) {
  usage_ = event.usage;
  if (!event.team.empty() && event.team != team_) inner_teams_.insert(event.team);
  if (event.event == "ended") {
    if (event.team != team_) line(turn_of(event.team), Color::dim, "(" + event.team + " ended: " + event.text + ")");
    return;
  }
  Turn& turn = turn_of(event.from);
  const std::size_t room = width_ - kTurnIndent;
  if (event.event == "turn_started") {
    turn.reason = event.detail;
  } else if (event.event == "turn_ended") {
    if (!turn.has_text && !inner_teams_.contains(event.from)) text(turn, event.text);
    end(turn);
  } else if (event.event == "tool_call") {
    line(turn, Color::magenta, "uses " + event.detail + " " + first_line(event.text, room));
  } else if (event.event == "tool_result") {
    line(turn, Color::dim, "-> " + first_line(event.text, room));
  } else if (event.event == "handoff") {
    line(turn, Color::yellow, "hands over to " + event.text);
  } else if (event.event == "question") {
    line(turn, Color::yellow, "asks a person: " + first_line(event.text, room));
  } else if (event.event == "participant_failed") {
    line(turn, Color::red, "failed: " + event.detail + ": " + event.text);
  }
}

void TeamView::finish() {
  close_line();
  live_ = nullptr;
  for (Turn& turn : turns_) turn.is_over = true;
  show_next();
  turns_.clear();
}

std::string TeamView::status() const {
  if (live_ != nullptr) return {};
  std::string names;
  for (const Turn& turn : turns_) names += (names.empty() ? "" : ", ") + printable(turn.from);
  if (names.empty()) return {};
  const std::string spent = cost();
  return shortened(names + " …" + (spent.empty() ? "" : " " + spent), width_ - 1);
}

}  // namespace parley::cli
