#include "agents/kinds/user_proxy.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/people/ask.hpp"
#include "agents/people/plain_text.hpp"
#include "libmsg/core/ascii.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::Routed;
using messages::Text;
using messages::TextPart;
using messages::TurnRequest;

struct UserProxy::Replies {
  /// Unset for a request, whose parts and reply go back to the caller.
  std::optional<Topic> topic;

  [[nodiscard]] Task<Result<>> part(Context& context, Payload piece) const {
    if (!topic) co_return co_await context.part(std::move(piece));
    const Result<std::uint32_t> published = co_await context.publish(*topic, std::move(piece));
    if (!published) co_return fail(published.error());
    co_return Result<>{};
  }
};

namespace {

/// True when the agent was not there to hear anything, so that the next message may find another one.
bool is_absent(ErrorCode code) {
  return code == ErrorCode::unknown_agent_type || code == ErrorCode::undeliverable || code == ErrorCode::no_handler ||
         code == ErrorCode::activation_failed || code == ErrorCode::deadlock;
}

/// Number 1 is the state of a Conversation.
constexpr std::uint32_t kProxyStateVersion = 2;

struct SavedProxy {
  std::uint32_t version = 0;
  std::string conversation;
  std::uint32_t auto_replies = 0;
  PARLEY_FIELDS(version, conversation, auto_replies)
};

/// The end of what was said, as far as a question may be long, and what can be done.
std::string question_of(const TurnRequest& turn, std::string_view end_word) {
  constexpr std::size_t kMaxShown = 8192;
  std::string text;
  if (!turn.thread.empty()) {
    const messages::ThreadMessage& last = turn.thread.back();
    text = last.from + " says: " + people::cut_text(last.text, kMaxShown);
    text += "\n";
  }
  if (!turn.instruction.empty()) text += people::cut_text(turn.instruction, kMaxShown / 2) + "\n";
  return text + "Your answer? (Nothing lets the proxy answer by itself, " + std::string(end_word) +
         " ends the conversation.)";
}

Result<Answer> read_answer(const Payload& reply) {
  if (reply.type != Text::kTypeName) return from_payload<Answer>(reply);
  Result<Text> text = from_payload<Text>(reply);
  if (!text) return fail(std::move(text).error());
  return Answer{std::move(text->text), std::move(text->from), false, {}};
}

}  // namespace

std::string explain(const Error& error, std::string_view agent, std::string_view end_word) {
  const std::string name = "'" + std::string(agent) + "'";
  const std::string retry = " You can try again, or type " + std::string(end_word) + " to finish.";
  switch (error.code) {
    case ErrorCode::timeout:
      return "The agent " + name + " did not answer in time (timeout)." + retry;
    case ErrorCode::overloaded:
      return "The agent " + name + " has too much to do right now (overloaded)." + retry;
    case ErrorCode::unknown_agent_type:
    case ErrorCode::undeliverable:
    case ErrorCode::activation_failed:
    case ErrorCode::no_handler:
      return "The agent " + name + " is not available right now (" + to_string(error.code) + ")." + retry;
    case ErrorCode::worker_lost:
    case ErrorCode::broker_lost:
      return "The connection to the agent " + name + " broke, and it is unknown whether it has read your message (" +
             to_string(error.code) + ")." + retry;
    case ErrorCode::budget_exceeded:
      return "The budget for the agent " + name + " is used up (budget_exceeded).";
    default:
      return "The agent " + name + " could not answer (" + to_string(error.code) + "): " + error.message + retry;
  }
}

UserProxy::UserProxy(UserProxyOptions options, std::string session)
    : options_(std::move(options)),
      conversation_(std::move(session), options_.end_word),
      human_input_(options_.human_input) {}

Task<Result<Answer>> UserProxy::on(const Text& message, Context& context) {
  Replies replies;
  if (!context.is_request()) {
    const std::string_view wanted = context.attribute(kReplyTopicAttribute);
    Result<Topic> topic = Topic::make(wanted.empty() ? options_.reply_topic : wanted, context.self().key());
    if (!topic) co_return fail(std::move(topic).error());
    replies.topic = std::move(*topic);
  }
  Answer reply = co_await answer(message, context, replies);
  if (context.is_cancelled()) co_return fail(ErrorCode::cancelled, "the user has stopped waiting");
  if (replies.topic) {
    const Result<std::uint32_t> published = co_await context.publish(*replies.topic, reply);
    if (!published) co_return fail(published.error());
  }
  co_return reply;
}

Task<Result<Answer>> UserProxy::on(const TurnRequest& turn, Context& context) {
  const std::string_view message = turn.thread.empty() ? std::string_view() : turn.thread.back().text;
  HumanInput::Decision decision = human_input_.on_turn(message);
  if (decision.step == HumanInput::Step::ask) {
    Result<HumanInput::Decision> heard = co_await ask_human(turn, context);
    if (!heard) co_return fail(std::move(heard).error());
    decision = std::move(*heard);
  }
  Answer answer;
  answer.text = std::move(decision.text);
  answer.from = turn.name.empty() ? context.self().type() : turn.name;
  answer.is_final = decision.step == HumanInput::Step::finish;
  // The floor goes back to the one who gave it, where members hand over.
  if (!turn.thread.empty() && std::ranges::find(turn.handoffs, turn.thread.back().from) != turn.handoffs.end()) {
    answer.handoff = turn.thread.back().from;
  }
  co_return answer;
}

Task<Result<HumanInput::Decision>> UserProxy::ask_human(const TurnRequest& turn, Context& context) {
  people::Question question;
  question.text = question_of(turn, options_.end_word);
  question.timeout = options_.input_timeout;
  question.default_answer = options_.default_answer;
  if (context.is_request()) {
    messages::TeamEvent asked;
    asked.event = "question";
    asked.from = turn.name;
    asked.detail = question.kind;
    asked.text = question.text;
    const Result<> told = co_await context.part(asked);
    if (!told) co_return fail(told.error());
  }
  const Result<messages::Answered> answered = co_await people::ask_person(context, std::move(question));
  if (!answered) co_return fail(answered.error());
  co_return human_input_.on_answer(answered->answer, turn.thread.empty() ? "" : turn.thread.back().text);
}

Result<std::string> UserProxy::save_state() const {
  const SavedProxy saved{kProxyStateVersion, conversation_.save(), human_input_.consecutive_auto_replies()};
  return std::string(wire::encode_body(saved).text());
}

Result<> UserProxy::load_state(std::string_view state) {
  const Result<SavedProxy> saved = wire::decode_body<SavedProxy>(as_bytes(state));
  // Before it could be a member of conversations, the state was that of its own conversation alone.
  if (!saved || saved->version != kProxyStateVersion) return conversation_.load(state);
  human_input_.restore(saved->auto_replies);
  return conversation_.load(saved->conversation);
}

Task<Answer> UserProxy::answer(const Text& message, Context& context, const Replies& replies) {
  const std::string& self = context.self().type();
  switch (conversation_.step_for(message.text)) {
    case Conversation::Step::route:
      co_return co_await route(message, context, replies);
    case Conversation::Step::ask:
      co_return co_await ask(message, context, replies);
    case Conversation::Step::finish: {
      const std::string agent = conversation_.agent_type();
      conversation_.finish();
      co_return Answer{
          "You are disconnected from '" + agent + "'. Your next message starts a new conversation.", self, true, {}};
    }
    case Conversation::Step::idle:
      break;
  }
  co_return Answer{
      "There is no conversation to end. Tell me what you need, and I will find the right agent.", self, true, {}};
}

Task<Answer> UserProxy::route(const Text& message, Context& context, const Replies& replies) {
  const Result<AgentId> router = AgentId::make(options_.router, conversation_.agent_key());
  if (!router) co_return failed(router.error(), options_.router, context);
  CallOptions options;
  options.timeout = options_.router_timeout;
  const Result<Routed> routed = co_await context.request<Routed>(*router, message, std::move(options));
  if (!routed) co_return failed(routed.error(), options_.router, context);
  if (routed->agent_type.empty()) co_return Answer{routed->question, options_.router, false, {}};
  conversation_.connect(routed->agent_type);
  co_return co_await ask(message, context, replies);
}

Task<Answer> UserProxy::ask(const Text& message, Context& context, const Replies& replies) {
  Result<Answer> reply = co_await forward(message, context, replies);
  if (!reply) co_return failed(reply.error(), conversation_.agent_type(), context);
  if (reply->from.empty()) reply->from = conversation_.agent_type();
  if (reply->is_final) conversation_.finish();
  co_return std::move(*reply);
}

Task<Result<Answer>> UserProxy::forward(const Text& message, Context& context, const Replies& replies) {
  const Result<AgentId> agent = AgentId::make(conversation_.agent_type(), conversation_.agent_key());
  if (!agent) co_return fail(agent.error());
  CallOptions options;
  options.timeout = options_.timeout;
  Result<ReplyStream> stream = co_await context.request_stream(*agent, to_payload(message), std::move(options));
  if (!stream) co_return fail(std::move(stream).error());
  for (;;) {
    Result<std::optional<Payload>> piece = co_await stream->next();
    if (!piece) co_return fail(std::move(piece).error());
    if (!*piece) co_return read_answer(stream->reply());
    // Who speaks, tools and cost of a team or an assistant as well; other kinds the user's side does not show.
    const bool is_shown = (*piece)->type == TextPart::kTypeName || (*piece)->type == messages::TeamEvent::kTypeName;
    if (!is_shown) continue;
    const Result<> passed_on = co_await replies.part(context, std::move(**piece));
    if (!passed_on) co_return fail(passed_on.error());
  }
}

Answer UserProxy::failed(const Error& error, std::string_view agent, const Context& context) {
  Answer answer{explain(error, agent, options_.end_word), context.self().type(), false, {}};
  if (is_absent(error.code)) conversation_.disconnect();
  return answer;
}

namespace {

void read_human_input(config::ConfigReader& settings, UserProxyOptions& options) {
  using std::chrono::milliseconds;
  constexpr std::array<std::string_view, 3> kModes{"always", "on_terminate", "never"};
  constexpr std::uint64_t kMaxReplies = 10'000;
  HumanInputOptions& human = options.human_input;
  human.mode = static_cast<HumanInputOptions::Mode>(settings.choice("human_input", kModes, 0));
  human.max_consecutive_auto_reply = static_cast<std::uint32_t>(
      settings.integer("max_consecutive_auto_reply", human.max_consecutive_auto_reply, {0, kMaxReplies}));
  human.default_reply = settings.text("auto_reply", human.default_reply);
  for (config::ConfigReader& rule : settings.children("auto_replies")) {
    human.auto_replies.push_back({rule.required_text("contains"), rule.required_text("reply")});
    rule.reject_unknown_keys();
  }
  if (settings.has("end_texts")) human.end_texts = settings.texts("end_texts");
  human.end_word = options.end_word;
  options.input_timeout = settings.duration("input_timeout", options.input_timeout,
                                            {milliseconds(100), milliseconds(std::chrono::hours(24 * 7))});
  options.default_answer = settings.optional_text("default_answer");
}

MakeFactory read_user_proxy(config::ConfigReader& settings, KindNames& /*names*/) {
  using std::chrono::milliseconds;
  constexpr config::Range<milliseconds> kTimeouts{milliseconds(1), milliseconds(3'600'000)};
  UserProxyOptions options;
  options.router = settings.text("router", options.router);
  if (!is_valid_agent_type(options.router)) settings.reject("router", "expected the agent type of a router");
  options.end_word = settings.text("end_word", options.end_word);
  if (options.end_word.empty()) settings.reject("end_word", "expected a word");
  options.reply_topic = settings.text("reply_topic", options.reply_topic);
  if (!is_valid_topic_type(options.reply_topic)) {
    settings.reject("reply_topic", "expected a topic type: letters, digits and _ . - : =");
  }
  options.timeout = settings.duration("timeout", options.timeout, kTimeouts);
  options.router_timeout = settings.duration("router_timeout", options.router_timeout, kTimeouts);
  read_human_input(settings, options);
  return [options = std::move(options)](const KindServices&) -> AgentFactory {
    return [options](const AgentId& id) { return std::make_unique<UserProxy>(options, id.key()); };
  };
}

}  // namespace

const Kind kUserProxyKind{"user_proxy", "stands between one user's session and the agents", &read_user_proxy};

}  // namespace parley::kinds
