#include "agents/kinds/code_executor.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/sandbox_config.hpp"
#include "agents/people/ask.hpp"
#include "agents/sandbox/result_text.hpp"
#include "agents/sandbox/turn_run.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::Answered;
using messages::TeamEvent;
using messages::Text;
using messages::TextPart;
using messages::ThreadMessage;
using messages::TurnRequest;
using sandbox::RunRequest;
using sandbox::RunResult;
using tools::ToolOutcome;

namespace {

constexpr std::string_view kNoCode =
    "There is no code to run. Put it into a block that begins with ```python or ```sh.";
/// What a person can be shown of the code; more cannot be approved.
constexpr std::size_t kMaxApprovable = std::size_t{14} * 1024;

/// The blocks that can be run, of what has been said since the executor spoke last.
std::vector<CodeBlock> blocks_of(const TurnRequest& turn, const CodeExecutorOptions& options) {
  std::vector<CodeBlock> blocks;
  const auto is_own = [&](const ThreadMessage& message) { return message.from == turn.name; };
  const auto last_own = std::ranges::find_if(turn.thread.rbegin(), turn.thread.rend(), is_own);
  for (auto message = last_own.base(); message != turn.thread.end(); ++message) {
    const bool is_source =
        options.sources.empty() || std::ranges::find(options.sources, message->from) != options.sources.end();
    if (is_source) std::ranges::move(find_code_blocks(message->text), std::back_inserter(blocks));
  }
  return blocks;
}

std::string block_title(const CodeBlock& block, std::size_t number) {
  std::string text = "Block " + std::to_string(number) + " (" + std::string(to_string(*block.language));
  if (!block.file_name.empty()) text += ", " + block.file_name;
  return text + ")";
}

std::string all_code(const std::vector<CodeBlock>& blocks) {
  std::string text;
  for (const CodeBlock& block : blocks) text += "```" + block.label + "\n" + block.code + "```\n";
  return text;
}

/// As a tool of type `code` would be called.
std::string arguments_of(const CodeBlock& block) {
  const nlohmann::json arguments{{"language", to_string(*block.language)}, {"code", block.code}};
  return arguments.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ToolOutcome outcome_of(const Result<RunResult>& result) {
  if (result) {
    const bool is_late = result->limit == sandbox::Limit::wall_time;
    return result->is_success() ? ToolOutcome::ok : is_late ? ToolOutcome::timeout : ToolOutcome::tool_error;
  }
  const ErrorCode code = result.error().code;
  if (code == ErrorCode::cancelled) return ToolOutcome::cancelled;
  const bool is_wrong = code == ErrorCode::invalid || code == ErrorCode::too_large;
  return is_wrong ? ToolOutcome::invalid_arguments : ToolOutcome::tool_error;
}

}  // namespace

struct CodeExecutor::Ending {
  std::size_t number = 0;  ///< of the block
  ToolOutcome outcome = ToolOutcome::ok;
  std::string problem = {};
  Duration duration{};
  std::size_t result_bytes = 0;
};

struct CodeExecutor::Report {
  std::string name;  ///< as whom it speaks
  std::string approved_by;
  Duration waited{};  ///< for a person
  std::string text;
  std::vector<std::string> languages;
  std::size_t ran = 0;
  std::size_t failed = 0;

  Task<Result<>> say(std::string piece, Context& context) {
    if (!text.empty()) piece.insert(0, "\n\n");
    text += piece;
    if (!context.is_request()) co_return Result<>{};
    const TextPart part{std::move(piece), name};
    co_return co_await context.part(part);
  }
  Task<Result<>> tell(std::string event, std::string detail, std::string what, Context& context) const {
    if (!context.is_request()) co_return Result<>{};
    TeamEvent happened;
    happened.event = std::move(event);
    happened.from = name;
    happened.detail = std::move(detail);
    happened.text = std::move(what);
    co_return co_await context.part(happened);
  }
};

CodeExecutor::CodeExecutor(CodeExecutorOptions options, std::shared_ptr<sandbox::Sandbox> sandbox,
                           std::shared_ptr<tools::ToolObserver> observer)
    : options_(std::move(options)), sandbox_(std::move(sandbox)), observer_(std::move(observer)) {}

Task<Result<Answer>> CodeExecutor::on(const Text& message, Context& context) {
  return answer(find_code_blocks(message.text), context.self().type(), context);
}

Task<Result<Answer>> CodeExecutor::on(const TurnRequest& turn, Context& context) {
  return answer(blocks_of(turn, options_), turn.name.empty() ? context.self().type() : turn.name, context);
}

Task<> CodeExecutor::on_deactivate() {
  folder_.reset();
  co_return;
}

Task<Result<Answer>> CodeExecutor::answer(std::vector<CodeBlock> blocks, std::string name, Context& context) {
  std::erase_if(blocks, [this](const CodeBlock& block) { return !block.language || !sandbox_->has(*block.language); });
  Report report;
  report.name = std::move(name);
  const Result<> done = co_await run_all(blocks, report, context);
  if (!done) co_return fail(done.error());
  Answer answer;
  answer.text = std::move(report.text);
  answer.from = std::move(report.name);
  answer.tools_used = std::move(report.languages);
  co_return answer;
}

Task<Result<>> CodeExecutor::run_all(const std::vector<CodeBlock>& blocks, Report& report, Context& context) {
  if (blocks.empty()) {
    std::string advice(kNoCode);
    co_return co_await report.say(std::move(advice), context);
  }
  const Result<bool> allowed = co_await is_allowed(blocks, report, context);
  if (!allowed) co_return fail(allowed.error());
  if (!*allowed) co_return Result<>{};
  const std::size_t count = std::min(blocks.size(), options_.max_blocks);
  for (std::size_t at = 0; at < count; ++at) {
    const Result<> ran = co_await run_block(blocks[at], at + 1, report, context);
    if (!ran) co_return fail(ran.error());
    if (report.failed > 0 && !options_.goes_on_after_failure) break;
  }
  std::string end = report.failed == 0
                        ? "All code blocks succeeded."
                        : std::to_string(report.failed) + " of " + std::to_string(report.ran) + " code blocks failed.";
  if (report.ran < blocks.size()) end += " " + std::to_string(blocks.size() - report.ran) + " were not run.";
  co_return co_await report.say(std::move(end), context);
}

bool CodeExecutor::needs_approval(const std::vector<CodeBlock>& blocks) const {
  if (options_.approval != CodeExecutorOptions::Approval::matching) {
    return options_.approval == CodeExecutorOptions::Approval::always;
  }
  return std::ranges::any_of(blocks, [this](const CodeBlock& block) {
    return std::ranges::any_of(options_.approval_texts,
                               [&](const std::string& text) { return block.code.find(text) != std::string::npos; });
  });
}

Task<Result<bool>> CodeExecutor::is_allowed(const std::vector<CodeBlock>& blocks, Report& report, Context& context) {
  if (!needs_approval(blocks)) co_return true;
  const std::string code = all_code(blocks);
  if (code.size() > kMaxApprovable) {
    const std::string why = "The code was not run: it is too long to be shown for approval.";
    note_refusal(blocks, why, report, context);
    const Result<> said = co_await report.say(why, context);
    if (!said) co_return fail(said.error());
    co_return false;
  }
  people::Question question = people::approval("May this code run?\n" + code, options_.approval_timeout);
  const Result<> told = co_await report.tell("question", "approval", question.text, context);
  if (!told) co_return fail(told.error());
  const TimePoint asked = context.now();
  const Result<Answered> answered = co_await people::ask_person(context, std::move(question));
  report.waited = context.now() - asked;
  if (!answered) co_return fail(answered.error());
  if (answered->answer == people::kApprove) {
    report.approved_by = answered->by.empty() ? "someone" : answered->by;
    co_return true;
  }
  const std::string why = answered->is_default ? "The code was not run: nobody has approved it in time."
                                               : "The code was not run: " + answered->by + " has rejected it.";
  note_refusal(blocks, why, report, context);
  const Result<> said = co_await report.say(why, context);
  if (!said) co_return fail(said.error());
  co_return false;
}

void CodeExecutor::note_refusal(const std::vector<CodeBlock>& blocks, const std::string& why, const Report& report,
                                const Context& context) const {
  for (std::size_t at = 0; at < std::min(blocks.size(), options_.max_blocks); ++at) {
    note(blocks[at], {.number = at + 1, .outcome = ToolOutcome::refused, .problem = why}, report, context);
  }
}

void CodeExecutor::note(const CodeBlock& block, const Ending& ending, const Report& report,
                        const Context& context) const {
  if (observer_ == nullptr) return;
  const AgentId& agent = context.self();
  const std::string call_id = "block_" + std::to_string(ending.number);
  const std::string arguments = arguments_of(block);
  const std::string traceparent = context.traceparent();
  observer_->on_call({.agent = agent,
                      .conversation = context.attribute(wire::attribute::kConversation),
                      .tool = to_string(*block.language),
                      .call_id = call_id,
                      .arguments = arguments,
                      .outcome = ending.outcome,
                      .problem = ending.problem,
                      .approved_by = report.approved_by,
                      .duration = ending.duration,
                      .waited = report.waited,
                      .result_bytes = ending.result_bytes,
                      .traceparent = traceparent});
}

Task<Result<>> CodeExecutor::run_block(const CodeBlock& block, std::size_t number, Report& report, Context& context) {
  if (!folder_) {
    Result<std::shared_ptr<sandbox::WorkFolder>> made = sandbox_->make_folder();
    if (!made) co_return fail(std::move(made).error());
    folder_ = std::move(*made);
  }
  const std::string language(to_string(*block.language));
  const Result<> called = co_await report.tell("tool_call", language, block.code, context);
  if (!called) co_return fail(called.error());
  RunRequest request;
  request.language = *block.language;
  request.code = block.code;
  if (!block.file_name.empty()) request.files.push_back({block.file_name, block.code});
  const TimePoint started = context.now();
  Result<RunResult> result =
      co_await sandbox::run_in_turn(*sandbox_, std::move(request), folder_, context, std::nullopt);
  Ending ending{.number = number, .outcome = outcome_of(result), .duration = context.now() - started};
  ++report.ran;
  report.languages.push_back(language);
  std::string said;
  if (result) {
    if (!result->is_success()) ++report.failed;
    // The writer knows the file that it named.
    std::erase_if(result->files, [&](const sandbox::File& file) { return file.name == block.file_name; });
    said = block_title(block, number) + ": " + sandbox::result_text(*result);
  } else if (result.error().code == ErrorCode::invalid || result.error().code == ErrorCode::too_large) {
    ++report.failed;
    said = block_title(block, number) + ": not run: " + result.error().message;
  }
  ending.problem = ending.outcome == ToolOutcome::ok ? std::string() : result ? said : result.error().message;
  ending.result_bytes = said.size();
  note(block, ending, report, context);
  if (said.empty()) co_return fail(std::move(result).error());
  const Result<> told = co_await report.tell("tool_result", language, said, context);
  if (!told) co_return fail(told.error());
  co_return co_await report.say(std::move(said), context);
}

namespace {

CodeExecutorOptions read_executor_options(config::ConfigReader& settings) {
  using std::chrono::milliseconds;
  constexpr std::array<std::string_view, 3> kApprovals{"never", "always", "matching"};
  constexpr std::uint64_t kMaxBlocks = 100;
  CodeExecutorOptions options;
  options.sources = settings.texts("sources");
  options.max_blocks = settings.integer("max_blocks", options.max_blocks, {1, kMaxBlocks});
  options.goes_on_after_failure = settings.flag("continue_after_failure", options.goes_on_after_failure);
  options.approval = static_cast<CodeExecutorOptions::Approval>(settings.choice("approval", kApprovals, 0));
  options.approval_texts = settings.texts("approval_texts");
  const bool matches = options.approval == CodeExecutorOptions::Approval::matching;
  if (matches && options.approval_texts.empty()) {
    settings.reject("approval_texts", "expected texts that make a person be asked, since approval is 'matching'");
  } else if (!matches && !options.approval_texts.empty()) {
    settings.reject("approval_texts", "expected only with 'approval: matching'");
  }
  options.approval_timeout = settings.duration("approval_timeout", options.approval_timeout,
                                               {milliseconds(1000), milliseconds(std::chrono::hours(24 * 7))});
  return options;
}

MakeFactory read_code_executor(config::ConfigReader& settings, KindNames& names) {
  CodeExecutorOptions options = read_executor_options(settings);
  sandbox::SandboxOptions walls;
  if (std::optional<config::ConfigReader> reader = settings.child("sandbox")) {
    walls = read_sandbox(*reader);
    reader->reject_unknown_keys();
  }
  // Opened before anything is connected, so that a machine without a sandbox is seen at once.
  const auto opened = std::make_shared<std::shared_ptr<sandbox::Sandbox>>();
  names.checks.emplace_back([opened, walls = std::move(walls)]() -> Result<> {
    if (*opened) return {};
    Result<std::shared_ptr<sandbox::Sandbox>> made = sandbox::Sandbox::open(walls);
    if (!made) return fail(std::move(made).error());
    *opened = std::move(*made);
    return {};
  });
  return [options = std::move(options), opened](const KindServices& services) -> AgentFactory {
    return [options, opened, observer = services.tool_observer](const AgentId&) {
      return std::make_unique<CodeExecutor>(options, *opened, observer);
    };
  };
}

}  // namespace

const Kind kCodeExecutorKind{"code_executor", "runs the code blocks of a message in a sandbox", &read_code_executor};

}  // namespace parley::kinds
