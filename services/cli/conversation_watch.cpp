#include "services/cli/conversation_watch.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "services/cli/conversation_json.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/table.hpp"
#include "services/cli/text_width.hpp"

namespace parley::cli {

using messages::Answer;
using messages::TeamEvent;
using messages::TextPart;

namespace {

constexpr std::chrono::milliseconds kQuestionInterval{300};
constexpr std::chrono::milliseconds kDeskTimeout{5000};
constexpr std::string_view kAborted = "aborted:";

Result<Answer> read_run_answer(const Payload& reply, const AgentId& agent) {
  if (reply.type == messages::Text::kTypeName) {
    Result<messages::Text> text = from_payload<messages::Text>(reply);
    if (!text) return fail(std::move(text).error());
    Answer answer;
    answer.text = std::move(text->text);
    answer.from = std::move(text->from);
    return answer;
  }
  if (reply.type != Answer::kTypeName) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' answered with a '{}', which is no text", agent.str(), reply.type));
  }
  return from_payload<Answer>(reply);
}

std::string choices_text(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : "|") + text;
  return line;
}

}  // namespace

ConversationWatch::ConversationWatch(asio::io_context& io, Runtime& runtime, const Clock& clock, Console& console,
                                     WatchOptions options)
    : io_(io),
      runtime_(runtime),
      clock_(clock),
      console_(console),
      options_(std::move(options)),
      transcript_(options_.agent.type(), options_.task, clock.wall_now()),
      view_([&console](std::string_view text) { console.note_piece(text); },
            [&console](Color color, std::string_view text) { return console.paint(color, text); },
            console.style().width, options_.agent.type()),
      lines_(io, STDIN_FILENO),
      started_(clock.now()) {}

Task<int> ConversationWatch::run() {
  started_ = clock_.now();
  Task<Result<Answer>> listening = options_.has_questions ? listen_and_ask() : listen();
  const Result<Answer> answer = co_await std::move(listening);
  transcript_.finish(answer, clock_.wall_now());
  if (!options_.is_json) view_.finish();
  co_return print_answer(answer);
}

void ConversationWatch::interrupted() {
  if (!options_.is_json) view_.finish();
  transcript_.finish(fail(ErrorCode::cancelled, "interrupted"), clock_.wall_now());
}

Task<Result<Answer>> ConversationWatch::listen() {
  const messages::Text text{options_.task, std::string("user")};
  CallOptions call;
  call.timeout = options_.timeout;
  Target target(options_.agent);
  Result<ReplyStream> stream =
      co_await runtime_.client().request_stream(std::move(target), to_payload(text), std::move(call));
  if (!stream) co_return fail(stream.error());
  for (;;) {
    Result<std::optional<Payload>> piece = co_await stream->next();
    if (!piece) co_return fail(piece.error());
    if (!*piece) co_return read_run_answer(stream->reply(), options_.agent);
    show(**piece);
  }
}

Task<Result<Answer>> ConversationWatch::listen_and_ask() {
  using namespace asio::experimental::awaitable_operators;
  std::variant<Result<Answer>, std::monostate> first = co_await (listen() || ask_questions());
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return fail(ErrorCode::cancelled, "interrupted");
}

void ConversationWatch::show(const Payload& part) {
  if (const auto piece = from_payload<TextPart>(part)) {
    transcript_.part(*piece);
    if (options_.is_json) {
      console_.print(to_line(part_to_json(*piece)));
    } else {
      view_.part(*piece);
    }
  } else if (const auto event = from_payload<TeamEvent>(part)) {
    transcript_.event(*event, clock_.wall_now());
    if (options_.is_json) {
      console_.print(to_line(event_to_json(*event)));
    } else if (!options_.has_questions || event->event != "question") {
      view_.event(*event);  // questions are shown whole, by ask()
    }
  }
  const std::string status = options_.is_json ? std::string() : view_.status();
  if (!status.empty()) console_.status(console_.paint(Color::dim, status));
}

/// Never ends: questions may come as long as the conversation lasts.
Task<> ConversationWatch::ask_questions() {
  const Result<AgentId> desk = AgentId::make(messages::kQuestionsType, "default");
  asio::steady_timer pause(io_);
  for (;;) {
    pause.expires_after(kQuestionInterval);
    co_await pause.async_wait(asio::use_awaitable);
    const messages::QuestionList wanted;
    CallOptions call;
    call.timeout = kDeskTimeout;
    Target target(*desk);
    const Result<messages::Questions> open =
        co_await runtime_.client().request<messages::Questions>(std::move(target), wanted, std::move(call));
    if (!open) continue;  // the desk may be on its way back; whoever asks it waits
    for (const messages::PendingQuestion& question : open->questions) {
      if (asked_.insert(question.id).second) co_await ask(question);
    }
  }
}

Task<> ConversationWatch::ask(const messages::PendingQuestion& question) {
  if (options_.is_json) {
    console_.print(to_line({{"event", "person_asked"},
                            {"id", question.id},
                            {"from", question.asked_by},
                            {"text", question.question},
                            {"choices", question.choices}}));
  }
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
  view_.finish();
  console_.note("\n" + console_.paint(Color::yellow, printable(question.asked_by) + " asks:"));
  for (const std::string& line : wrapped(printable(question.question), console_.style().width - 2)) {
    console_.note("  " + line);
  }
  if (!is_terminal) {
    if (!options_.endpoint.empty()) {
      console_.note(fmt::format("  answer with: parley ask answer --broker {} {} {}", options_.endpoint, question.id,
                                question.choices.empty() ? "TEXT" : choices_text(question.choices)));
    }
    co_return;
  }
  for (;;) {
    const std::string choices = question.choices.empty() ? std::string() : " [" + choices_text(question.choices) + "]";
    console_.note_piece(console_.paint(Color::green, "you" + choices + ">") + " ");
    const Result<std::optional<std::string>> line = co_await lines_.next();
    if (!line || !*line) co_return;
    const messages::AnswerQuestion given{question.id, **line, "parley run"};
    CallOptions call;
    call.timeout = kDeskTimeout;
    const Result<AgentId> desk = AgentId::make(messages::kQuestionsType, "default");
    Target target(*desk);
    const Result<Payload> taken =
        co_await runtime_.client().request(std::move(target), to_payload(given), std::move(call));
    if (taken) co_return;
    (void)console_.fail_answer(taken.error());
    if (taken.error().code != ErrorCode::invalid) co_return;
  }
}

int ConversationWatch::print_answer(const Result<Answer>& answer) {
  const double latency_ms = std::chrono::duration<double, std::milli>(clock_.now() - started_).count();
  if (!answer) {
    // What there was so far has been shown; the transcript has it, too.
    if (options_.is_json) {
      nlohmann::json line = failure_to_json(answer.error());
      line["turns"] = transcript_.turns();
      line["usage"] = usage_to_json(transcript_.usage());
      line["latency_ms"] = latency_ms;
      console_.print(to_line(line));
    } else {
      print_summary(to_string(answer.error().code), transcript_.usage());
    }
    return console_.fail_answer(answer.error());
  }
  const bool is_aborted = answer->stop_reason.starts_with(kAborted);
  if (options_.is_json) {
    nlohmann::json line = answer_to_json(*answer);
    line["latency_ms"] = latency_ms;
    console_.print(to_line(line));
  } else {
    print_summary(answer->stop_reason.empty() ? "answered" : answer->stop_reason, answer->usage);
    console_.print(printable(answer->text));
  }
  if (!is_aborted) return kDone;
  console_.note(console_.paint(Color::red, "error:") + " " + printable(answer->stop_reason));
  return kFailed;
}

void ConversationWatch::print_summary(std::string_view how, const messages::Usage& usage) {
  const auto seconds = std::chrono::duration<double>(clock_.now() - started_).count();
  std::string text = printable(how);
  if (transcript_.turns() > 0) text += fmt::format(" · {} turns", transcript_.turns());
  if (const std::string cost = describe_usage(usage); !cost.empty()) text += " · " + cost;
  text += fmt::format(" · {:.1f} s", seconds);
  console_.note("\n" + console_.paint(Color::bold, shortened("== " + text, console_.style().width)));
}

}  // namespace parley::cli
