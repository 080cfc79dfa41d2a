#include "agents/tools/knowledge_tools.hpp"

#include <chrono>
#include <spdlog/spdlog.h>
#include <utility>

#include "agents/tools/agent_tool.hpp"
#include "agents/tools/tool_name.hpp"
#include "monitoring/log.hpp"

namespace parley::tools {

using messages::Fact;
using messages::Facts;
using messages::Recall;
using messages::Remember;
using messages::Remembered;
using messages::ToolResult;
using monitoring::log_text;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kContextTimeout{2};

constexpr std::string_view kRememberParameters =
    R"({"type":"object","properties":{"text":{"type":"string","minLength":1,"description":"One fact or decision, understandable by itself."},"kind":{"enum":["fact","decision"],"description":"fact if left out."},"source":{"type":"string","description":"Where it comes from: a document, an address, a person."},"rationale":{"type":"string","description":"Why it was decided, or why it matters."}},"required":["text"],"additionalProperties":false})";
constexpr std::string_view kRecallParameters =
    R"({"type":"object","properties":{"query":{"type":"string","minLength":1,"description":"Words or a question."},"kind":{"enum":["fact","decision"],"description":"Both if left out."},"limit":{"type":"integer","minimum":1,"maximum":100}},"required":["query"],"additionalProperties":false})";

Result<Target> target_of(const KnowledgeSource& source, const Context& turn) {
  return Target::parse(with_key(source.base, source.scope.empty() ? conversation_of(turn) : source.scope));
}

CallOptions until(TimePoint deadline, const Context& turn) {
  CallOptions options;
  options.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline - turn.now());
  return options;
}

/// The lines of the facts that fit.
std::string lines_of(const Facts& facts, std::size_t max_bytes) {
  std::string text;
  for (const Fact& fact : facts.facts) {
    const std::string line = fact_line(fact) + "\n";
    if (!text.empty() && text.size() + line.size() > max_bytes) break;
    text += line;
  }
  return text;
}

class RememberTool final : public Tool {
 public:
  RememberTool(const std::string& prefix, KnowledgeSource source)
      : source_(std::move(source)),
        spec_{tool_name_for_models(prefix, "remember"),
              "Keeps a fact or a decision for the whole team, with its source and its reason.",
              std::string(kRememberParameters)} {}

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] Task<Result<ToolResult>> call(json arguments, ToolContext& context) override {
    Result<Target> target = target_of(source_, context.turn);
    if (!target) co_return fail(std::move(target).error());
    Remember fact;
    fact.kind = arguments.value("kind", std::string("fact"));
    fact.text = arguments.at("text").get<std::string>();
    fact.source = arguments.value("source", std::string());
    fact.rationale = arguments.value("rationale", std::string());
    fact.author = context.turn.self().str();
    const Result<Remembered> kept =
        co_await context.turn.request<Remembered>(std::move(*target), fact, until(context.deadline, context.turn));
    if (!kept) co_return fail(kept.error());
    ToolResult result;
    result.content = (kept->is_new ? "remembered as " : "already known as ") + std::to_string(kept->id);
    co_return result;
  }

 private:
  KnowledgeSource source_;
  llm::ToolSpec spec_;
};

class RecallTool final : public Tool {
 public:
  RecallTool(const std::string& prefix, KnowledgeSource source)
      : source_(std::move(source)),
        spec_{tool_name_for_models(prefix, "recall"),
              "Finds what the team knows: facts and decisions, the most relevant first.",
              std::string(kRecallParameters)} {}

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] Task<Result<ToolResult>> call(json arguments, ToolContext& context) override {
    Result<Target> target = target_of(source_, context.turn);
    if (!target) co_return fail(std::move(target).error());
    Recall question;
    question.query = arguments.at("query").get<std::string>();
    question.kind = arguments.value("kind", std::string());
    question.limit = arguments.value("limit", source_.top);
    const Result<Facts> facts =
        co_await context.turn.request<Facts>(std::move(*target), question, until(context.deadline, context.turn));
    if (!facts) co_return fail(facts.error());
    ToolResult result;
    result.content = lines_of(*facts, source_.max_bytes);
    if (result.content.empty()) {
      result.content = "nothing is known about it (" + std::to_string(facts->total) + " facts in all)";
    }
    co_return result;
  }

 private:
  KnowledgeSource source_;
  llm::ToolSpec spec_;
};

}  // namespace

std::string fact_line(const Fact& fact) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(fact.at_ms)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
  std::string line = fmt::format("[{}] {} by {} on {:04}-{:02}-{:02}: {}", fact.id, fact.kind,
                                 fact.author.empty() ? "someone" : fact.author, static_cast<int>(day.year()),
                                 static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), fact.text);
  std::string notes;
  if (!fact.rationale.empty()) notes = "because " + fact.rationale;
  if (!fact.source.empty()) notes += (notes.empty() ? "source: " : "; source: ") + fact.source;
  return notes.empty() ? line : line + " (" + notes + ")";
}

KnowledgeTools::KnowledgeTools(const std::string& prefix, const KnowledgeSource& source) {
  auto tools = std::make_shared<ToolsetListing>();
  tools->push_back({"remember", std::make_shared<RememberTool>(prefix, source)});
  tools->push_back({"recall", std::make_shared<RecallTool>(prefix, source)});
  tools_ = std::move(tools);
}

Task<Result<std::shared_ptr<const ToolsetListing>>> KnowledgeTools::list(Context& /*turn*/) { co_return tools_; }

Task<Result<std::string>> KnownFacts::about(std::string text, Context& turn) {
  Result<Target> target = target_of(source_, turn);
  if (!target) co_return fail(std::move(target).error());
  Recall question;
  question.query = std::move(text);
  question.limit = source_.top;
  const Result<Facts> facts =
      co_await turn.request<Facts>(std::move(*target), question, until(turn.now() + kContextTimeout, turn));
  if (facts) {
    has_failed_ = false;
    co_return lines_of(*facts, source_.max_bytes);
  }
  if (facts.error().code == ErrorCode::cancelled) co_return fail(facts.error());
  if (!std::exchange(has_failed_, true)) {
    spdlog::warn("event=knowledge_unreachable agent={} base={} reason={}", log_text(turn.self().str()),
                 log_text(source_.base), log_text(facts.error().message));
  }
  co_return std::string();
}

}  // namespace parley::tools
