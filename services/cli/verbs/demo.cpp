// parley demo: broker and agents as real processes, the help desk's conversation, and what happened on the bus.
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/this_coro.hpp>
#include <map>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "libmsg/runtime/worker_runtime.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/chat_loop.hpp"
#include "services/cli/demo_script.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/suite_plan.hpp"
#include "services/cli/suite/suite_source.hpp"
#include "services/cli/suite/supervised_suite.hpp"
#include "services/cli/suite/temporary_folder.hpp"
#include "services/cli/table.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace demo_verb {

constexpr std::chrono::milliseconds kAnswerTimeout{20'000};
constexpr std::chrono::milliseconds kGrace{500};
constexpr std::string_view kClientName = "you";

/// The demo from the first process to the last.
class Demo {
 public:
  Demo(Environment& environment, const RunDirectory& directory, std::string endpoint, asio::io_context& io,
       Runtime& runtime)
      : console_(environment.console),
        is_json_(environment.common.is_json),
        program_folder_(environment.program_folder),
        endpoint_(std::move(endpoint)),
        io_(io),
        runtime_(runtime),
        folder_(directory.path()),
        suite_(io, clock_, directory.path(), environment.program_folder) {}

  Task<int> run(const host::SuiteConfig& suite, bool is_interactive) {
    int code = kInterrupted;
    try {
      code = co_await start_and_play(suite, is_interactive);
    } catch (const std::exception&) {
      // After Ctrl-C: asio's operation_aborted, or its multiple_exceptions when two waits were aborted together.
      if (!is_interrupted_) throw;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    say_title("Stopping everything");
    if (is_connected_) co_await runtime_.stop(kGrace);
    co_await suite_.stop();
    print(is_interrupted_ ? "  stopped" : "  done");
    co_return is_interrupted_ ? kInterrupted : code;
  }

  /// Says why run() is about to be cancelled.
  void note_interrupt() { is_interrupted_ = true; }

 private:
  Task<int> start_and_play(const host::SuiteConfig& suite, bool is_interactive) {
    say_title("Starting broker and agents, each a process of its own");
    suite_.set_on_ready([this](const std::string& process) {
      print(fmt::format("  {} {}", console_.paint(Color::green, "ready"), process));
    });
    Result<> started = suite_.start(plan_suite(suite, endpoint_, {.programs = program_folder_, .run = folder_}));
    if (started) started = co_await suite_.wait_until_up();
    if (!started) co_return code_of(started.error());
    is_connected_ = true;
    using namespace asio::experimental::awaitable_operators;
    const auto ended = co_await (play_all(is_interactive) || suite_.wait_for_failure());
    if (ended.index() == 1) co_return code_of(std::get<1>(ended));
    for (auto& [session, link] : links_) co_await link->close();
    co_return std::get<0>(ended);
  }

  Task<int> play_all(bool is_interactive) {
    const int code = co_await play();
    if (code != kDone || !is_interactive) co_return code;
    co_return co_await converse();
  }

  Task<int> play() {
    const Result<> connected = co_await runtime_.start();
    if (!connected) co_return code_of(connected.error());
    say_title("Talking to the help desk: two sessions at once, and a third");
    for (const DemoLine& line : demo_script()) {
      const int code = co_await play_line(line);
      if (code != kDone) co_return code;
    }
    show_results();
    co_return kDone;
  }

  Task<int> play_line(const DemoLine& line) {
    Result<ChatLink*> link = co_await link_of(std::string(line.session));
    if (!link) co_return code_of(link.error());
    print(fmt::format("{} {}", console_.paint(Color::green, fmt::format("{}>", line.session)), line.text));
    const TraceContext trace = TraceContext::make(random_);
    AnswerPrinter printer(console_, std::string(line.session), AnswerPrinter::Lines::wrapped);
    const OnPart on_part = [&](const messages::TextPart& piece) {
      if (!is_json_) printer.part(piece);
    };
    const TimePoint start = clock_.now();
    Result<messages::Answer> answer = co_await (*link)->say(std::string(line.text), on_part, trace);
    if (!answer) {
      if (!is_json_) printer.abandon();
      co_return is_interrupted_ ? kInterrupted : console_.fail_answer(answer.error());
    }
    DemoResult result{std::string(line.session), std::string(line.text), answer->from, clock_.now() - start, {}};
    if (!is_json_) printer.finish(*answer);
    const Result<std::vector<Leg>> legs = co_await legs_of_trace(trace.id);
    if (!legs) co_return code_of(legs.error());
    result.legs = *legs;
    show_flow(line, result, answer->text);
    results_.push_back(std::move(result));
    if (answer->from == line.answered_by) co_return kDone;
    co_return console_.fail(Error(ErrorCode::handler_failed, fmt::format("'{}' should have answered, and '{}' did",
                                                                         line.answered_by, answer->from)));
  }

  /// The session's line to its user proxy, opened on first use.
  Task<Result<ChatLink*>> link_of(std::string session) {
    if (const auto known = links_.find(session); known != links_.end()) co_return known->second.get();
    const Result<AgentId> agent = AgentId::make(kUserProxyType, session);
    if (!agent) co_return fail(agent.error());
    ChatLinkOptions options;
    options.agent = *agent;
    options.reply_topic = "chat.replies." + session;
    options.timeout = kAnswerTimeout;
    auto link = std::make_unique<ChatLink>(io_, runtime_, clock_, random_, std::move(options));
    const Result<> opened = co_await link->open();
    if (!opened) co_return fail(opened.error());
    ChatLink* const open_link = link.get();
    links_.emplace(std::move(session), std::move(link));
    co_return open_link;
  }

  Task<Result<std::vector<Leg>>> legs_of_trace(std::string id) {
    wire::Query query{.what = "trace", .key = std::move(id), .limit = 1000};
    Result<wire::TraceReport> report = co_await query_broker<wire::TraceReport>(runtime_, std::move(query));
    if (!report) co_return fail(report.error());
    co_return legs_of(*report);
  }

  void show_flow(const DemoLine& line, const DemoResult& result, const std::string& text) {
    if (is_json_) {
      console_.print(to_line({{"session", result.session},
                              {"message", result.text},
                              {"answered_by", result.answered_by},
                              {"answer", text},
                              {"latency_ms", std::chrono::duration<double, std::milli>(result.latency).count()},
                              {"messages", result.legs.size()},
                              {"flow", flow_of(result.legs, kClientName)}}));
      return;
    }
    if (!line.remark.empty()) print(console_.paint(Color::dim, fmt::format("   {}:", line.remark)));
    for (const auto& row : wrapped(flow_of(result.legs, kClientName), console_.style().width - 3)) {
      print(console_.paint(Color::dim, "   " + row));
    }
    print("");
  }

  void show_results() {
    if (is_json_) return;
    say_title("What happened");
    for (const auto& line : render_results(results_, console_.style().width)) print(line);
    say_title("The first message as a sequence diagram (Mermaid)");
    for (const auto& line : sequence_diagram(summarised(results_.front().legs))) print(line);
  }

  Task<int> converse() {
    Result<ChatLink*> link = co_await link_of("visitor");
    if (!link) co_return code_of(link.error());
    say_title("Your turn: ask about HR or finance; END ends the conversation, Ctrl-D leaves");
    LineSource lines(io_, STDIN_FILENO);
    const ChatLoopOptions options{is_json_, std::string(kUserProxyType)};
    co_return co_await chat_loop(**link, lines, ::isatty(STDIN_FILENO) == 1, console_, clock_, options);
  }

  int code_of(const Error& error) { return is_interrupted_ ? kInterrupted : console_.fail(error); }

  void say_title(std::string_view title) {
    if (!is_json_) console_.print("\n" + console_.paint(Color::bold, fmt::format("== {}", title)));
  }
  void print(std::string_view line) {
    if (!is_json_) console_.print(line);
  }

  Console& console_;
  bool is_json_;
  std::filesystem::path program_folder_;
  std::string endpoint_;
  asio::io_context& io_;
  Runtime& runtime_;
  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  SupervisedSuite suite_;
  std::map<std::string, std::unique_ptr<ChatLink>> links_;
  std::vector<DemoResult> results_;
  bool is_connected_ = false;  ///< or about to be
  bool is_interrupted_ = false;
};

int run_demo(Environment& environment, bool is_interactive) {
  Console& console = environment.console;
  const TemporaryFolder folder("parley-demo");
  if (folder.path().empty()) return console.fail(Error(ErrorCode::bad_configuration, "cannot make a temporary folder"));
  const Result<RunDirectory> directory = RunDirectory::claim(folder.path());
  if (!directory) return console.fail(directory.error());
  const Result<host::SuiteConfig> suite = write_embedded_suite(folder.path());
  if (!suite) return console.fail(suite.error());

  if (const Result<> recorded = directory->record(""); !recorded) return console.fail(recorded.error());
  const std::string endpoint = "ipc://" + (folder.path() / "broker.sock").string();
  asio::io_context io(1);
  WorkerRuntimeOptions options;
  options.name = kClientName;
  options.brokers = {endpoint};
  const Result<std::unique_ptr<Runtime>> runtime = make_worker_runtime(io, std::move(options));
  if (!runtime) return console.fail(runtime.error());
  Demo demo(environment, *directory, endpoint, io, **runtime);
  return run_until_done(io, demo.run(*suite, is_interactive), [&demo](int) {
    demo.note_interrupt();
    return AtSignal::cancel;
  });
}

Run declare(Options& options) {
  auto is_interactive = std::make_shared<bool>(false);
  options.flag("--interactive", *is_interactive, "Stay in the chat afterwards");
  return [is_interactive](Environment& environment) { return run_demo(environment, *is_interactive); };
}

}  // namespace demo_verb
}  // namespace

const Verb kDemoVerb{"demo", "Play the help desk with real processes and show the messages flow",
                     "  parley demo\n  parley demo --interactive", Reach::local, &demo_verb::declare};

}  // namespace parley::cli
