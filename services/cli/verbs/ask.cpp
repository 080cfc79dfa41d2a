// parley ask ls [ID], parley ask answer ID TEXT: the questions that agents ask people.
#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "libmsg/messages/questions.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/figures.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/table.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace ask_verb {

using messages::PendingQuestion;
using messages::Questions;

constexpr std::chrono::milliseconds kWatchInterval{500};
/// Of one look at the desk: watching has no end of its own.
constexpr std::chrono::milliseconds kWatchPatience{5000};
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} * 1024;

struct LsSettings {
  std::optional<std::string> id;
  bool does_watch = false;
};

struct AnswerSettings {
  std::string id;
  std::string text;
  std::string by;
};

nlohmann::json to_json(const PendingQuestion& question) {
  nlohmann::json line{{"id", question.id},
                      {"question", question.question},
                      {"asked_by", question.asked_by},
                      {"kind", question.kind},
                      {"choices", question.choices},
                      {"waiting_ms", question.waiting_ms},
                      {"remaining_ms", question.remaining_ms}};
  if (question.has_default) line["default"] = question.default_answer;
  return line;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : "|") + text;
  return line;
}

std::string age_of(std::uint64_t milliseconds) { return format_age(std::chrono::milliseconds(milliseconds)); }

/// The desk's request, with a word on what to do when there is no desk.
template <class Reply, class Message>
Task<Result<Reply>> request_desk(Bus& bus, Message message, std::chrono::milliseconds patience) {
  const Result<AgentId> desk = AgentId::make(messages::kQuestionsType, "default");
  if (!desk) co_return fail(desk.error());
  CallOptions call;
  call.timeout = patience;
  Payload payload = to_payload(message);
  Result<Payload> reply = co_await bus.client.request(*desk, std::move(payload), std::move(call));
  if (!reply && reply.error().code == ErrorCode::unknown_agent_type) {
    co_return fail(ErrorCode::unknown_agent_type,
                   "no worker hosts a question desk (add an agent {type: sys.questions, kind: question_desk})");
  }
  if (!reply) co_return fail(std::move(reply).error());
  if constexpr (std::is_void_v<Reply>) {
    co_return Result<>{};
  } else {
    co_return from_payload<Reply>(*reply);
  }
}

Task<Result<Questions>> fetch(Bus& bus, const LsSettings& settings, std::chrono::milliseconds patience) {
  messages::QuestionList wanted;
  wanted.id = settings.id.value_or("");
  co_return co_await request_desk<Questions>(bus, std::move(wanted), patience);
}

/// One question with all of its text.
void print_whole(Bus& bus, const PendingQuestion& question) {
  const auto line = [&bus](std::string_view name, const std::string& text) {
    if (!text.empty()) bus.console.print(fmt::format("{:10} {}", name, printable(text)));
  };
  line("id", question.id);
  line("asked by", question.asked_by);
  line("kind", question.kind);
  line("choices", joined(question.choices));
  line("waits", age_of(question.waiting_ms));
  line("left", age_of(question.remaining_ms));
  if (question.has_default) line("default", question.default_answer);
  bus.console.print("");
  bus.console.print(printable(question.question));
}

void print_table(Bus& bus, const Questions& questions) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(questions.questions.size());
  for (const PendingQuestion& question : questions.questions) {
    rows.push_back({question.id, question.kind, question.asked_by, age_of(question.waiting_ms),
                    age_of(question.remaining_ms), question.question});
  }
  if (rows.empty()) return bus.console.note("no question waits");
  const auto lines = render_table({{"ID"},
                                   {"KIND"},
                                   {"ASKED BY", Align::left, true},
                                   {"WAITS", Align::right},
                                   {"LEFT", Align::right},
                                   {"QUESTION", Align::left, true}},
                                  rows, bus.console.style().width);
  for (const std::string& line : lines) bus.console.print(line);
  bus.console.note("one in full: parley ask ls ID; answer it: parley ask answer ID TEXT");
}

void print_new(Bus& bus, const PendingQuestion& question) {
  if (bus.common.is_json) return bus.console.print(to_line(to_json(question)));
  const std::string choices = question.choices.empty() ? "" : fmt::format(" ({})", joined(question.choices));
  bus.console.print(
      printable(fmt::format("{}  {} asks: {}{}", question.id, question.asked_by, question.question, choices)));
}

/// Each question once, as they come, until Ctrl-C or `--timeout`. A desk that is away for a while is waited for.
Task<int> watch(Bus& bus, const LsSettings& settings) {
  std::map<std::string, bool> shown;
  asio::steady_timer timer(bus.io);
  bool was_away = false;
  for (;;) {
    const Result<Questions> questions = co_await fetch(bus, settings, kWatchPatience);
    if (!questions && !was_away) bus.console.note(fmt::format("waiting for the desk: {}", questions.error().message));
    was_away = !questions.has_value();
    for (auto& [id, is_open] : shown) is_open = was_away;
    if (questions) {
      for (const PendingQuestion& question : questions->questions) {
        if (shown.insert_or_assign(question.id, true).second) print_new(bus, question);
      }
      std::erase_if(shown, [](const auto& entry) { return !entry.second; });
    }
    if (bus.common.timeout && bus.clock.now() >= bus.deadline) co_return kDone;
    timer.expires_after(kWatchInterval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

Task<int> list(Bus& bus, const LsSettings& settings) {
  if (settings.does_watch) co_return co_await watch(bus, settings);
  const Result<Questions> questions = co_await fetch(bus, settings, bus.time_left());
  if (!questions) co_return bus.console.fail_answer(questions.error());
  if (settings.id && questions->questions.empty()) {
    co_return bus.console.fail(
        Error(ErrorCode::invalid, fmt::format("no question '{}' waits (see: parley ask ls)", *settings.id)));
  }
  if (bus.common.is_json) {
    for (const PendingQuestion& question : questions->questions) bus.console.print(to_line(to_json(question)));
  } else if (settings.id) {
    print_whole(bus, questions->questions.front());
  } else {
    print_table(bus, *questions);
  }
  co_return kDone;
}

std::string who_answers(const AnswerSettings& settings) {
  if (!settings.by.empty()) return settings.by;
  const char* user = std::getenv("USER");  // NOLINT(concurrency-mt-unsafe): nobody sets variables here
  return user != nullptr && *user != '\0' ? user : fmt::format("uid {}", ::getuid());
}

Task<int> answer(Bus& bus, const AnswerSettings& settings) {
  messages::AnswerQuestion given;
  given.id = settings.id;
  given.answer = settings.text;
  given.by = who_answers(settings);
  const Result<> done = co_await request_desk<void>(bus, given, bus.time_left());
  if (!done) co_return bus.console.fail_answer(done.error());
  if (bus.common.is_json) {
    bus.console.print(to_line({{"id", given.id}, {"answer", given.answer}, {"by", given.by}}));
  } else {
    bus.console.note(printable(fmt::format("answered {}", given.id)));
  }
  co_return kDone;
}

int run_answer(Environment& environment, AnswerSettings settings) {
  if (settings.text == "-") {
    Result<std::string> read = read_all(STDIN_FILENO, kMaxAnswerBytes);
    if (!read) return environment.console.refuse_usage(read.error().message);
    settings.text = std::move(*read);
    while (settings.text.ends_with('\n')) settings.text.pop_back();
  }
  return run_on_bus(environment, {.purpose = "ask answer"}, [&](Bus& bus) { return answer(bus, settings); });
}

Run declare_ls(Options& options) {
  auto settings = std::make_shared<LsSettings>();
  options.argument("ID", settings->id, "Only this question, with all of its text");
  options.flag("-w,--watch", settings->does_watch, "Go on with questions as they come");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "ask ls"}, [&](Bus& bus) { return list(bus, *settings); });
  };
}

Run declare_answer(Options& options) {
  auto settings = std::make_shared<AnswerSettings>();
  options.argument("ID", settings->id, "Id of the question, as 'parley ask ls' prints it");
  options.argument("TEXT", settings->text, "The answer; - reads standard input");
  options.option("--by", settings->by, "NAME", "Who answers (default: the user's name)");
  return [settings](Environment& environment) { return run_answer(environment, *settings); };
}

}  // namespace ask_verb
}  // namespace

const Verb kAskLsVerb{"ask ls", "List the questions that agents ask people",
                      "  parley ask ls\n"
                      "  parley ask ls k3m9x2aq\n"
                      "  parley ask ls --watch --json | jq -r .question",
                      Reach::bus, &ask_verb::declare_ls};

const Verb kAskAnswerVerb{"ask answer", "Answer a question of an agent",
                          "  parley ask answer k3m9x2aq approve\n"
                          "  parley ask answer k3m9x2aq 'Ship it on Monday' --by alice",
                          Reach::bus, &ask_verb::declare_answer};

}  // namespace parley::cli
