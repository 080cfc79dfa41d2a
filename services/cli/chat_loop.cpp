#include "services/cli/chat_loop.hpp"

#include <utility>

#include "services/cli/conversation_json.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/table.hpp"
#include "services/cli/transcript.hpp"

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

namespace {

/// One line said and what came of it, shown and noted down.
class Exchange {
 public:
  Exchange(AnswerPrinter& printer, Console& console, const Clock& clock, const ChatLoopOptions& options,
           const std::string& text)
      : printer_(printer),
        console_(console),
        clock_(clock),
        options_(options),
        notes_(options.agent, text, clock.wall_now()),
        started_(clock.now()) {}

  void part(const messages::TextPart& piece) {
    notes_.part(piece);
    if (options_.is_json) {
      console_.print(to_line(part_to_json(piece)));
    } else {
      printer_.part(piece);
    }
  }

  void event(const messages::TeamEvent& event) {
    notes_.event(event, clock_.wall_now());
    if (options_.is_json) {
      console_.print(to_line(event_to_json(event)));
    } else {
      printer_.event(event);
    }
  }

  /// The exit code.
  int finish(const Result<messages::Answer>& answer) {
    notes_.finish(answer, clock_.wall_now());
    if (options_.is_json) {
      print_json(answer);
    } else if (answer) {
      printer_.finish(*answer);
    } else {
      printer_.abandon();
    }
    return answer ? kDone : console_.fail_answer(answer.error());
  }

  [[nodiscard]] const Transcript& notes() const { return notes_; }

 private:
  void print_json(const Result<messages::Answer>& answer) {
    nlohmann::json line = answer ? answer_to_json(*answer) : failure_to_json(answer.error());
    if (answer) line["is_final"] = answer->is_final;
    line["latency_ms"] = std::chrono::duration<double, std::milli>(clock_.now() - started_).count();
    console_.print(to_line(line));
  }

  AnswerPrinter& printer_;
  Console& console_;
  const Clock& clock_;
  const ChatLoopOptions& options_;
  Transcript notes_;
  TimePoint started_;
};

Task<int> exchange_line(ChatLink& link, Exchange& exchange, std::string text) {
  const OnPart on_part = [&exchange](const messages::TextPart& piece) { exchange.part(piece); };
  link.set_on_event([&exchange](const messages::TeamEvent& event) { exchange.event(event); });
  const Result<messages::Answer> answer = co_await link.say(std::move(text), on_part, std::nullopt);
  link.set_on_event({});
  co_return exchange.finish(answer);
}

}  // namespace

Task<int> chat_loop(ChatLink& link, LineSource& lines, bool is_terminal_input, Console& console, const Clock& clock,
                    const ChatLoopOptions& options) {
  const auto lines_style =
      console.style().is_out_terminal ? AnswerPrinter::Lines::wrapped : AnswerPrinter::Lines::as_they_are;
  const bool has_prompt = is_terminal_input && !options.is_json;
  AnswerPrinter printer(console, options.agent, lines_style);
  int code = kDone;
  for (;;) {
    if (has_prompt) console.write(console.paint(Color::green, "you>") + " ");
    Result<std::optional<std::string>> line = co_await lines.next();
    if (!line) co_return console.fail(line.error());
    if (!*line) break;
    if ((*line)->find_first_not_of(" \t") == std::string::npos) continue;
    Exchange exchange(printer, console, clock, options, **line);
    const int said = co_await exchange_line(link, exchange, std::move(**line));
    if (!is_terminal_input && code == kDone) code = said;
    if (options.transcript == nullptr) continue;
    if (const Result<> kept = options.transcript->add(exchange.notes()); !kept) co_return console.fail(kept.error());
  }
  if (has_prompt) console.print("");
  co_return code;
}

}  // namespace parley::cli
