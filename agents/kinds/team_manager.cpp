#include "agents/kinds/team_manager.hpp"

#include <algorithm>
#include <asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "agents/teams/saved_text.hpp"
#include "libmsg/messages/spent_usage.hpp"
#include "libmsg/runtime/run_all.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::TeamEvent;
using messages::Text;
using messages::ThreadMessage;
using messages::TurnRequest;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMaxToolsUsed = 100;
constexpr milliseconds kStopTimeout{5000};

struct SavedManager {
  std::string team;
  std::vector<bool> wants_text;
  std::vector<std::uint64_t> told;
  std::uint64_t generation = 1;
  PARLEY_FIELDS(team, wants_text, told, generation)
};

std::string_view end_kind_of(const Result<Answer>& answer) {
  if (answer) return teams::end_kind(answer->stop_reason);
  return answer.error().code == ErrorCode::cancelled ? "cancelled" : "failed";
}

bool ends_with_stop(const AgentId& id) { return id.key().ends_with(messages::kStopSuffix); }

}  // namespace

std::string rendered(const std::vector<ThreadMessage>& thread) {
  if (thread.size() == 1 && thread.front().from == teams::kUserName) return thread.front().text;
  std::string text;
  for (const ThreadMessage& message : thread) {
    text += (text.empty() ? "" : "\n\n") + message.from + ": " + message.text;
  }
  return text;
}

Result<Answer> read_member_answer(const Payload& reply, std::string_view name) {
  Answer answer;
  if (reply.type == Text::kTypeName) {
    Result<Text> text = from_payload<Text>(reply);
    if (!text) return fail(std::move(text).error());
    answer.text = std::move(text->text);
    return answer;
  }
  if (reply.type != Answer::kTypeName) {
    return fail(ErrorCode::invalid,
                "'" + std::string(name) + "' answered with a '" + reply.type + "', which is no text");
  }
  return from_payload<Answer>(reply);
}

std::string conversation_key(const AgentId& manager, std::uint64_t generation) {
  std::string key = manager.type() + "~" + manager.key();
  if (generation > 1) key += "~" + std::to_string(generation);
  if (key.size() <= kMaxAgentKeyBytes) return key;
  // Deeply nested teams: the hash keeps shortened keys apart.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  const std::string suffix = "~" + std::to_string(hash);
  return key.substr(0, kMaxAgentKeyBytes - suffix.size()) + suffix;
}

TeamManager::TeamManager(std::shared_ptr<const TeamSetup> setup, std::shared_ptr<llm::ChatModel> model,
                         std::shared_ptr<teams::ConversationObserver> observer, AgentId id)
    : setup_(std::move(setup)),
      model_(std::move(model)),
      observer_(std::move(observer)),
      id_(std::move(id)),
      team_(std::shared_ptr<const teams::TeamPlan>(setup_, &setup_->plan)),
      members_(setup_->contacts.size()) {}

std::string TeamManager::conversation() const { return conversation_key(id_, team_.generation()); }

Task<Result<Answer>> TeamManager::on(const Text& task, Context& context) {
  if (ends_with_stop(id_)) co_return co_await pass_on_stop(task.text, context);
  if (!context.is_request() && setup_->answer_topic.empty()) {
    co_return fail(ErrorCode::invalid,
                   "team '" + id_.type() + "' has nobody to answer: send a request, or give it an answer_topic");
  }
  if (task.text.empty()) co_return fail(ErrorCode::invalid, "a team needs a task: the text is empty");
  teams::TeamTask team_task;
  team_task.text = task.text;
  Result<Answer> answer = co_await run(std::move(team_task), context);
  if (answer && !context.is_request()) {
    const Result<std::uint32_t> published = co_await context.publish(setup_->answer_topic, *answer);
    if (!published) co_return fail(published.error());
  }
  co_return answer;
}

Task<Result<Answer>> TeamManager::on(const TurnRequest& turn, Context& context) {
  teams::TeamTask task;
  task.thread = turn.thread;
  if (!turn.instruction.empty()) {
    task.text = turn.instruction;
  } else if (!task.thread->empty()) {
    // The last thing that was said is what the team is to work on.
    task.text = task.thread->back().text;
    task.from = task.thread->back().from;
    task.thread->pop_back();
  } else {
    co_return fail(ErrorCode::invalid, "a turn without a thread or an instruction");
  }
  co_return co_await run(std::move(task), context);
}

Task<Result<void>> TeamManager::on(const messages::Stop& stop, Context& context) {
  if (!is_running_) {
    co_return fail(ErrorCode::invalid, "no conversation of '" + context.self().str() + "' is under way");
  }
  team_.stop(stop.reason.empty() ? "stopped" : stop.reason);
  stop_.order();
  co_return Result<void>();
}

Task<Result<Answer>> TeamManager::pass_on_stop(std::string reason, Context& context) {
  const std::string_view key = id_.key();
  const Result<AgentId> team =
      AgentId::make(id_.type(), std::string(key.substr(0, key.size() - messages::kStopSuffix.size())));
  if (!team) co_return fail(team.error());
  const messages::Stop stop{std::move(reason)};
  CallOptions options;
  options.timeout = kStopTimeout;
  const Result<Payload> done = co_await context.request(*team, to_payload(stop), std::move(options));
  if (!done) co_return fail(done.error());
  co_return Answer{"the conversation of '" + team->str() + "' ends now", id_.type(), false, {}};
}

/// Counts the conversation, and knows that it is under way, whatever becomes of it.
Task<Result<Answer>> TeamManager::run(teams::TeamTask task, Context& context) {
  stop_.arm();
  is_running_ = true;
  observer_->began();
  Result<Answer> answer = fail(ErrorCode::handler_failed, "the conversation broke off");
  std::exception_ptr thrown;
  try {
    answer = co_await converse(std::move(task), context);
  } catch (...) {
    thrown = std::current_exception();
  }
  is_running_ = false;
  observer_->ended(end_kind_of(answer), team_.rounds());
  if (thrown) std::rethrow_exception(thrown);
  co_return answer;
}

Task<Result<Answer>> TeamManager::converse(teams::TeamTask task, Context& context) {
  tools_used_.clear();
  team_.begin(task, context.now(), clock_.wall_now());
  last_step_ = context.now();
  if (std::exchange(generation_, team_.generation()) != team_.generation()) {
    std::ranges::fill(members_, MemberState());
  }
  if (const auto opening = team_.take_opening()) {
    TeamEvent said{"turn_ended", id_.type(), opening->from, "opening", opening->text, team_.usage()};
    const Result<> told = co_await tell(std::move(said), context);
    if (!told) co_return fail(told.error());
  }
  for (;;) {
    if (context.is_cancelled()) co_return fail(ErrorCode::cancelled, "whoever gave the task has stopped waiting");
    last_step_ = context.now();
    teams::Team::Action action = team_.next(context.now());
    Result<> done;
    if (auto* end = std::get_if<teams::Team::End>(&action)) co_return co_await finish(std::move(*end), context);
    if (auto* turns = std::get_if<teams::Speak>(&action)) {
      done = co_await speak(std::move(*turns), context);
    } else if (auto* question = std::get_if<teams::Consult>(&action)) {
      done = co_await consult(std::move(*question), context);
    } else {
      done = co_await judge(std::move(std::get<teams::Team::Judge>(action)), context);
    }
    if (!done) co_return fail(std::move(done).error());
  }
}

Task<Result<Answer>> TeamManager::finish(teams::Team::End end, Context& context) {
  const std::string& type = id_.type();
  TeamEvent ended{"ended", type, type, {}, {}, team_.usage()};
  if (!end.answer) {
    ended.detail = to_string(end.answer.error().code);
    ended.text = "failed: " + end.answer.error().message;
    (void)co_await tell(std::move(ended), context);
    Error error = std::move(end.answer).error();
    messages::set_spent_usage(error, team_.usage());
    co_return fail(std::move(error));
  }
  teams::TeamAnswer& result = *end.answer;
  ended.text = result.reason;
  const Result<> told = co_await tell(std::move(ended), context);
  if (!told) co_return fail(told.error());
  Answer answer;
  answer.text = std::move(result.text);
  answer.from = type;
  answer.usage = std::move(result.usage);
  answer.handoff = std::move(result.handoff);
  answer.tools_used = std::move(tools_used_);
  answer.stop_reason = std::move(result.reason);
  co_return answer;
}

Task<Result<>> TeamManager::speak(teams::Speak speak, Context& context) {
  std::vector<teams::TurnResult> results;
  results.reserve(speak.turns.size());
  for (const teams::Turn& turn : speak.turns) {
    results.push_back({turn.member, fail(ErrorCode::cancelled, "the conversation was stopped"), false});
  }
  Task<> turns = take_turns(speak.turns, results, context);
  const bool is_whole = co_await stop_.run(std::move(turns));
  if (context.is_cancelled()) co_return fail(ErrorCode::cancelled, "whoever gave the task has stopped waiting");
  for (teams::TurnResult& result : results) {
    if (!result.answer) {
      if (is_whole || std::exchange(result.is_skipped, true)) continue;
      co_await tell_cut(result, context);
      continue;
    }
    for (const std::string& tool : result.answer->tools_used) {
      if (tools_used_.size() < kMaxToolsUsed) tools_used_.push_back(tool);
    }
  }
  team_.heard(std::move(results), context.now(), clock_.wall_now());
  last_step_ = context.now();
  co_return Result<>{};
}

Task<> TeamManager::take_turns(const std::vector<teams::Turn>& turns, std::vector<teams::TurnResult>& results,
                               Context& context) {
  if (turns.size() == 1) {
    co_await take_turn(turns.front(), context, results.front());
    co_return;
  }
  std::vector<Task<>> tasks;
  tasks.reserve(turns.size());
  for (std::size_t i = 0; i < turns.size(); ++i) tasks.push_back(take_turn(turns[i], context, results[i]));
  co_await run_all(co_await asio::this_coro::executor, std::move(tasks));
}

/// Those who watch hear that this turn has no end.
Task<> TeamManager::tell_cut(const teams::TurnResult& cut, Context& context) {
  const std::string& name = team_.plan().members[cut.member].seat.name;
  TeamEvent event{"participant_failed",           id_.type(),   name, to_string(ErrorCode::cancelled),
                  "the conversation was stopped", team_.usage()};
  (void)co_await tell(std::move(event), context);
}

Result<std::string> TeamManager::save_state() const {
  if (ends_with_stop(id_)) return std::string();
  SavedManager saved;
  saved.team = team_.save(last_step_);
  if (saved.team.empty()) return std::string();
  saved.generation = generation_;
  for (const MemberState& member : members_) {
    saved.wants_text.push_back(member.wants_text);
    saved.told.push_back(member.told);
  }
  return teams::to_text(saved);
}

Result<> TeamManager::load_state(std::string_view state) {
  Result<SavedManager> saved = teams::from_text<SavedManager>(state);
  if (!saved) return fail(std::move(saved).error());
  if (Result<> loaded = team_.load(saved->team); !loaded) return loaded;
  if (saved->told.size() != members_.size() || saved->wants_text.size() != members_.size()) {
    return fail(ErrorCode::invalid, "the saved conversation is of another team");
  }
  generation_ = saved->generation;
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i] = {saved->wants_text[i], saved->told[i]};
  return {};
}

}  // namespace parley::kinds
