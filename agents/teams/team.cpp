#include "agents/teams/team.hpp"

#include <algorithm>
#include <utility>

#include "agents/teams/saved_text.hpp"
#include "libmsg/core/duration.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

using messages::Answer;
using messages::ThreadMessage;

namespace {

constexpr std::uint32_t kStateVersion = 1;

struct SavedTeam {
  std::uint32_t version = kStateVersion;
  std::string strategy;
  std::vector<std::string> members;
  bool is_running = false;
  std::uint64_t generation = 1;
  std::uint64_t rounds = 0;
  std::uint64_t messages = 0;
  messages::Usage usage;
  std::uint64_t elapsed_ms = 0;
  Thread::Saved thread;
  std::string strategy_state;
  std::vector<std::string> met;
  PARLEY_FIELDS(version, strategy, members, is_running, generation, rounds, messages, usage, elapsed_ms, thread,
                strategy_state, met)
};

std::uint64_t milliseconds_since_1970(WallTime wall) {
  return static_cast<std::uint64_t>(wall.time_since_epoch().count());
}

}  // namespace

Team::Team(std::shared_ptr<const TeamPlan> plan)
    : plan_(std::move(plan)), strategy_(plan_->make_strategy()), termination_(plan_->termination) {
  for (const TeamMember& member : plan_->members) {
    seats_.push_back(member.seat);
    names_.push_back(member.seat.name);
  }
  if (plan_->repetition) repetition_.emplace(*plan_->repetition);
}

void Team::begin(const TeamTask& task, TimePoint now, WallTime wall) {
  const bool goes_on = is_resumed_ && !task.thread && is_resumable(task.text);
  is_resumed_ = false;
  started_ = now;
  stop_.reset();
  end_.reset();
  judges_.clear();
  handoff_.clear();
  opening_.reset();
  if (goes_on) return;
  elapsed_before_ = {};
  start(task, wall);
}

void Team::start(const TeamTask& task, WallTime wall) {
  rounds_ = 0;
  messages_ = 0;
  usage_ = {};
  termination_.reset();
  if (repetition_) repetition_->reset();
  const bool is_new = task.thread.has_value() || !plan_->keeps_thread;
  if (is_new && !thread_.is_empty()) {
    thread_.clear();
    ++generation_;
  }
  for (const ThreadMessage& message : task.thread.value_or(std::vector<ThreadMessage>())) {
    ThreadMessage known = message;
    known.visible_to.clear();  // whoever gave it to us could see it, and for this team that is everybody
    thread_.add(std::move(known));
  }
  thread_.begin_task();
  thread_.add({task.from, task.text, {}, milliseconds_since_1970(wall)});
  is_running_ = true;
  strategy_->begin(scene());
  if (const auto opening = strategy_->opening(task.text)) {
    Answer answer;
    answer.text = opening->text;
    say(opening->member, answer, wall);
    opening_ = thread_.messages().back();
  }
}

Team::Action Team::next(TimePoint now) {
  if (end_) return *end_;
  if (stop_) {
    end("external:" + *stop_);
    return *end_;
  }
  if (!judges_.empty()) return Judge{judges_};
  Step step = strategy_->next(scene());
  if (const auto* finish = std::get_if<Finish>(&step)) {
    end(finish->reason);
    return *end_;
  }
  if (const auto* broken = std::get_if<Break>(&step)) {
    abort(broken->error, {});
    return *end_;
  }
  if (const auto reason = limit_reached(now)) {
    end(*reason);
    return *end_;
  }
  if (auto* consult = std::get_if<Consult>(&step)) return std::move(*consult);
  return std::get<Speak>(std::move(step));
}

std::optional<std::string> Team::limit_reached(TimePoint now) const {
  const TeamLimits& limits = plan_->limits;
  if (rounds_ >= limits.max_rounds) return "max_rounds:" + std::to_string(limits.max_rounds);
  if (auto reason = means_used_up(usage_)) return reason;
  const auto over = deadline();
  if (over && now >= *over) return "time:" + format_duration(limits.max_time);
  return std::nullopt;
}

std::optional<std::string> Team::means_used_up(const messages::Usage& spent) const {
  const TeamLimits& limits = plan_->limits;
  if (limits.max_tokens > 0 && spent.input_tokens + spent.output_tokens >= limits.max_tokens) {
    return "token_budget:" + std::to_string(limits.max_tokens);
  }
  if (limits.max_cost_nano_usd > 0 && spent.cost_nano_usd >= limits.max_cost_nano_usd) {
    return "money:" + dollars(limits.max_cost_nano_usd);
  }
  return std::nullopt;
}

bool Team::has_means_after(const messages::Usage& more) const {
  messages::Usage sum = usage_;
  sum += more;
  return !means_used_up(sum);
}

std::optional<TimePoint> Team::deadline() const {
  if (plan_->limits.max_time.count() == 0) return std::nullopt;
  return started_ + plan_->limits.max_time - elapsed_before_;
}

void Team::say(std::size_t member, const Answer& answer, WallTime wall) {
  const TeamMember& speaker = plan_->members[member];
  ThreadMessage message{speaker.seat.name, answer.text, speaker.visible_to, milliseconds_since_1970(wall)};
  if (plan_->has_private_messages) {
    Addressed addressed = read_address(answer.text, names_);
    if (!addressed.names.empty()) {
      message.text = std::move(addressed.text);
      message.visible_to = std::move(addressed.names);
    }
  }
  thread_.add(std::move(message));
  ++messages_;
}

void Team::heard(std::vector<TurnResult> results, TimePoint now, WallTime wall) {
  ++rounds_;
  std::vector<Utterance> said;
  std::vector<Outcome> outcomes;
  const TurnResult* aborted = nullptr;
  std::optional<std::string> ended;
  for (const TurnResult& result : results) {
    if (result.spent != messages::Usage()) usage_ += result.spent;
    if (!result.answer) {
      if (!result.is_skipped && aborted == nullptr) aborted = &result;
      outcomes.push_back({.member = result.member, .is_skipped = true});
      continue;
    }
    const Answer& answer = *result.answer;
    const std::string& name = names_[result.member];
    usage_ += answer.usage;
    say(result.member, answer, wall);
    said.push_back({name, answer.text, answer.handoff, answer.tools_used});
    if (!answer.handoff.empty()) handoff_ = answer.handoff;
    if (answer.is_final && !ended) ended = "final:" + name;
    if (repetition_) {
      auto circle = repetition_->add(name, answer.text);
      if (circle && !ended) ended = std::move(circle);
    }
    const bool is_private = !thread_.messages().back().visible_to.empty();
    outcomes.push_back({.member = result.member, .answer = answer, .is_private = is_private});
  }
  strategy_->heard(outcomes, scene());
  if (aborted != nullptr) {
    abort(aborted->answer.error(), names_[aborted->member]);
    return;
  }
  Progress seen = progress(now);
  seen.said = said;
  look(seen);
  if (!end_ && ended) end(std::move(*ended));
  if (!end_) judges_ = termination_.judges();
}

Progress Team::progress(TimePoint now) const {
  Progress progress;
  progress.messages = messages_;
  progress.usage = usage_;
  progress.elapsed = elapsed_before_ + (now - started_);
  progress.stop = stop_;
  return progress;
}

void Team::look(const Progress& progress) {
  auto reason = termination_.look(progress);
  if (reason) end(std::move(*reason));
}

void Team::advised(const Result<std::string>& advice, const messages::Usage& usage) {
  usage_ += usage;
  strategy_->advised(advice, scene());
}

void Team::give_up(const Error& error, const messages::Usage& usage) {
  if (usage != messages::Usage()) usage_ += usage;
  abort(error, {});
}

void Team::judged(std::map<std::string, std::string> verdicts, const messages::Usage& usage, TimePoint now) {
  judges_.clear();
  usage_ += usage;
  Progress seen = progress(now);
  seen.verdicts = std::move(verdicts);
  look(seen);
}

void Team::end(std::string reason) {
  TeamAnswer answer;
  const ThreadMessage* chosen = plan_->answer_by.empty() ? nullptr : thread_.last_of(plan_->answer_by);
  answer.text = chosen != nullptr ? chosen->text : strategy_->answer(scene());
  answer.reason = std::move(reason);
  answer.usage = usage_;
  if (answer.reason.starts_with("handoff:")) answer.handoff = handoff_;
  is_running_ = false;
  end_ = End{std::move(answer)};
}

void Team::abort(const Error& error, std::string_view who) {
  const std::string what =
      (who.empty() ? std::string() : std::string(who) + " failed: ") + to_string(error.code) + ": " + error.message;
  if (messages_ == 0) {
    is_running_ = false;
    Error failure = error;  // with what it tells programs
    if (!who.empty()) failure.message = std::string(who) + ": " + error.message;
    end_ = End{fail(std::move(failure))};
    return;
  }
  end("aborted:" + what);
}

std::string Team::save(TimePoint now) const {
  if (thread_.is_empty()) return {};
  SavedTeam saved;
  saved.strategy = plan_->strategy;
  saved.members = names_;
  saved.is_running = is_running_;
  saved.generation = generation_;
  saved.rounds = rounds_;
  saved.messages = messages_;
  saved.usage = usage_;
  const Duration elapsed = elapsed_before_ + (is_running_ && !is_resumed_ ? now - started_ : Duration(0));
  saved.elapsed_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
  saved.thread = thread_.save();
  saved.strategy_state = strategy_->save();
  saved.met = termination_.save();
  return to_text(saved);
}

Result<> Team::load(std::string_view state) {
  Result<SavedTeam> saved = from_text<SavedTeam>(state);
  if (!saved) return fail(std::move(saved).error());
  if (saved->version != kStateVersion) {
    return fail(ErrorCode::invalid, "the saved conversation is of another version");
  }
  if (saved->strategy != plan_->strategy || saved->members != names_) {
    return fail(ErrorCode::invalid, "the saved conversation is of another team: its strategy or its members differ");
  }
  if (Result<> loaded = strategy_->load(saved->strategy_state); !loaded) return loaded;
  if (Result<> loaded = termination_.load(saved->met); !loaded) return loaded;
  is_running_ = saved->is_running;
  is_resumed_ = saved->is_running;
  generation_ = saved->generation;
  rounds_ = saved->rounds;
  messages_ = saved->messages;
  usage_ = std::move(saved->usage);
  elapsed_before_ = std::chrono::milliseconds(saved->elapsed_ms);
  thread_.load(std::move(saved->thread));
  return {};
}

}  // namespace parley::teams
