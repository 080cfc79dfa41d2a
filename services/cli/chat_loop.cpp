#include "services/cli/chat_loop.hpp"

#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/table.hpp"

namespace parley::cli {

void AnswerPrinter::begin(const std::string& from) {
  if (std::exchange(has_begun_, true)) return;
  const std::string speaker = printable(from.empty() ? speaker_ : from) + ">";
  console_.write(console_.paint(Color::cyan, speaker) + " ");
  constexpr std::size_t kIndent = 3;
  if (lines_ == Lines::wrapped) wrapper_.emplace(console_.style().width, kIndent, display_width(speaker) + 1);
}

void AnswerPrinter::write(std::string_view text) {
  const std::string safe = printable(text);
  console_.write(wrapper_ ? wrapper_->feed(safe) : safe);
}

void AnswerPrinter::event(const messages::TeamEvent& event) {
  if (!view_) {
    abandon();  // what an assistant has said before it used a tool stands above
    view_.emplace([this](std::string_view text) { console_.write(text); },
                  [this](Color color, std::string_view text) { return console_.paint(color, text); },
                  console_.style().width, event.team.empty() ? speaker_ : event.team);
    is_team_ = false;
  }
  is_team_ = is_team_ || !event.team.empty();
  view_->event(event);
}

void AnswerPrinter::part(const messages::TextPart& piece) {
  if (view_) return view_->part(piece);
  begin(piece.from);
  write(piece.text);
}

void AnswerPrinter::finish(const messages::Answer& answer) {
  if (view_) {
    view_->finish();
    view_.reset();
    // An assistant's answer has been shown among its tools already; what a team answers is not its last words.
    if (!is_team_) return;
    console_.write("\n");
  }
  const bool has_parts = has_begun_;
  begin(answer.from);
  if (!has_parts) write(answer.text);
  abandon();
}

void AnswerPrinter::abandon() {
  if (view_) view_->finish();
  view_.reset();
  if (!std::exchange(has_begun_, false)) return;
  console_.print(wrapper_ ? wrapper_->finish() : "");
  wrapper_.reset();
}

Task<int> chat_loop(ChatLink& link, LineSource& lines, bool is_terminal_input, Console& console, const Clock& clock,
                    const ChatLoopOptions& options) {
  const auto lines_style =
      console.style().is_out_terminal ? AnswerPrinter::Lines::wrapped : AnswerPrinter::Lines::as_they_are;
  AnswerPrinter printer(console, options.agent, lines_style);
  const OnPart on_part = [&](const messages::TextPart& piece) {
    if (!options.is_json) printer.part(piece);
  };
  link.set_on_event([&](const messages::TeamEvent& event) {
    if (!options.is_json) printer.event(event);
  });
  int code = kDone;
  for (;;) {
    if (is_terminal_input) console.write(console.paint(Color::green, "you>") + " ");
    Result<std::optional<std::string>> line = co_await lines.next();
    if (!line) co_return console.fail(line.error());
    if (!*line) break;
    if ((*line)->find_first_not_of(" \t") == std::string::npos) continue;
    const TimePoint start = clock.now();
    const Result<messages::Answer> answer = co_await link.say(std::move(**line), on_part, std::nullopt);
    if (!answer) {
      printer.abandon();
      const int failed = console.fail_answer(answer.error());
      if (!is_terminal_input && code == kDone) code = failed;
    } else if (options.is_json) {
      const double latency_ms = std::chrono::duration<double, std::milli>(clock.now() - start).count();
      console.print(to_line({{"from", answer->from},
                             {"text", answer->text},
                             {"is_final", answer->is_final},
                             {"latency_ms", latency_ms}}));
    } else {
      printer.finish(*answer);
    }
  }
  link.set_on_event({});
  if (is_terminal_input) console.print("");
  co_return code;
}

}  // namespace parley::cli
