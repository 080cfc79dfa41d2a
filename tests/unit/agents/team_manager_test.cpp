// Teams of real agents on a local runtime, as a configuration names them.
#include "agents/kinds/team_manager.hpp"

#include <map>

#include "agents/host/agents_config.hpp"
#include "libmsg/messages/spent_usage.hpp"
#include "services/config/yaml.hpp"
#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {
namespace {

using messages::TeamEvent;
using messages::TurnRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// What a team's client hears: `name: text` for each turn that ended, and events of other kinds.
struct Watched {
  std::vector<std::string> turns;
  std::vector<TeamEvent> events;
  std::vector<TextPart> pieces;
  Result<Answer> answer;
};

/// Writes down what it is told.
class Counts final : public teams::ConversationObserver {
 public:
  void began() override { told.emplace_back("began"); }
  void ended(std::string_view reason, std::uint64_t rounds) override {
    told.push_back("ended " + std::string(reason) + " after " + std::to_string(rounds));
  }
  void member_failed(teams::TurnAttempts::Decision::What decided) override {
    told.emplace_back(teams::to_string(decided));
  }
  std::vector<std::string> told;
};

struct TeamManagerTest : KindsFixture {
  /// Hosts the agents of a YAML list.
  void host_team(const std::string& agents) {
    const auto document = config::parse_yaml("agents:\n" + agents, "test.yaml");
    auto config = host::read_agents(*document);
    ASSERT_TRUE(config) << config.error().str();
    const KindServices services{[this](const std::string&) { return model; }, {}, nullptr, counts};
    for (const host::AgentConfig& agent : config->agents) host(agent.type, agent.make_factory(services), agent.options);
  }

  /// An agent that answers turns from a list of texts (`>x` hands over to x, `!` fails), and remembers the turns.
  void member(const std::string& name, std::vector<std::string> answers) {
    host_closure(name,
                 [this, name, answers, next = std::size_t{0}](const Payload& message,
                                                              Context& context) mutable -> Task<Result<Payload>> {
                   const Result<TurnRequest> turn = from_payload<TurnRequest>(message);
                   if (!turn) co_return fail(ErrorCode::no_handler, "turns only");
                   turns[name].push_back(*turn);
                   keys[name].push_back(context.self().key());
                   const std::string text = next < answers.size() ? answers[next++] : "nothing more";
                   if (text == "!") co_return fail(ErrorCode::upstream_failed, name + " is broken");
                   Answer answer;
                   answer.text = text;
                   answer.usage.output_tokens = 1;
                   if (text.starts_with('>')) answer.handoff = text.substr(1);
                   const TextPart part{text, ""};
                   const Result<> sent = co_await context.part(part);
                   if (!sent) co_return fail(sent.error());
                   co_return to_payload(answer);
                 });
  }

  Watched run(const std::string& target, const std::string& task) { return test::run_task(io, watch(target, task)); }

  Task<Watched> watch(std::string target, std::string task) {
    Watched watched;
    const Payload message = to_payload(Text{std::move(task), "user"});
    CallOptions options;
    options.timeout = std::chrono::minutes(30);
    Result<ReplyStream> stream =
        co_await runtime.client().request_stream(*AgentId::parse(target), message, std::move(options));
    if (!stream) {
      watched.answer = fail(stream.error());
      co_return watched;
    }
    for (;;) {
      Result<std::optional<Payload>> piece = co_await stream->next();
      if (!piece) {
        watched.answer = fail(piece.error());
        co_return watched;
      }
      if (!*piece) break;
      if (const auto part = from_payload<TextPart>(**piece)) watched.pieces.push_back(*part);
      const auto event = from_payload<TeamEvent>(**piece);
      if (!event) continue;
      if (event->event == "turn_ended") watched.turns.push_back(event->from + ": " + event->text);
      watched.events.push_back(*event);
    }
    watched.answer = from_payload<Answer>(stream->reply());
    co_return watched;
  }

  std::shared_ptr<Counts> counts = std::make_shared<Counts>();
  std::shared_ptr<test::ScriptedModel> model = std::make_shared<test::ScriptedModel>();
  std::map<std::string, std::vector<TurnRequest>> turns;
  std::map<std::string, std::vector<std::string>> keys;
};

constexpr const char* kPoets = R"(
  - type: poets
    kind: reflection
    writer: poet
    reviewer: {agent: critic, description: reads closely}
)";

TEST_F(TeamManagerTest, sends_a_text_back_until_it_is_accepted) {
  host_team(kPoets);
  member("poet", {"a rose", "a rose is red"});
  member("critic", {"too short", "APPROVE"});
  const Watched watched = run("poets/alice", "a poem");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->text, "a rose is red");
  EXPECT_EQ(watched.answer->stop_reason, "accepted:critic");
  EXPECT_EQ(watched.answer->from, "poets");
  EXPECT_EQ(watched.answer->usage.output_tokens, 4U);
  EXPECT_THAT(watched.turns,
              ElementsAre("poet: a rose", "critic: too short", "poet: a rose is red", "critic: APPROVE"));
}

TEST_F(TeamManagerTest, gives_each_member_the_thread_and_the_roster) {
  host_team(kPoets);
  member("poet", {"a rose", "a rose is red"});
  member("critic", {"too short", "APPROVE"});
  (void)run("poets/alice", "a poem");
  const TurnRequest& second = turns["poet"].at(1);
  EXPECT_EQ(second.name, "poet");
  ASSERT_EQ(second.thread.size(), 3U);
  EXPECT_EQ(second.thread[0].from, "user");
  EXPECT_EQ(second.thread[2].text, "too short");
  ASSERT_EQ(second.members.size(), 2U);
  EXPECT_EQ(second.members[1].description, "reads closely");
  EXPECT_THAT(second.instruction, HasSubstr("new version"));
}

TEST_F(TeamManagerTest, streams_the_members_pieces_under_their_names_and_says_how_it_ended) {
  host_team(kPoets);
  member("poet", {"a rose"});
  member("critic", {"APPROVE"});
  const Watched watched = run("poets/alice", "a poem");
  ASSERT_EQ(watched.pieces.size(), 2U);
  EXPECT_EQ(watched.pieces[0].from, "poet");
  EXPECT_EQ(watched.pieces[1].from, "critic");
  EXPECT_EQ(watched.events.front().event, "turn_started");
  EXPECT_EQ(watched.events.back().event, "ended");
  EXPECT_EQ(watched.events.back().text, "accepted:critic");
  EXPECT_EQ(watched.events.back().usage.output_tokens, 2U);
}

TEST_F(TeamManagerTest, keeps_conversations_apart) {
  host_team(kPoets);
  member("poet", {});
  member("critic", {"APPROVE", "APPROVE"});
  (void)run("poets/alice", "a poem");
  (void)run("poets/bob", "a song");
  EXPECT_THAT(keys["poet"], ElementsAre("poets~alice", "poets~bob"));
  EXPECT_EQ(turns["poet"].at(1).thread.size(), 1U) << "nothing of alice's";
}

TEST_F(TeamManagerTest, talks_by_text_to_agents_that_know_no_turns) {
  host_team(kPoets);
  std::vector<std::string> heard;
  host_closure("poet", [&heard](const Payload& message, Context&) -> Task<Result<Payload>> {
    const Result<Text> text = from_payload<Text>(message);
    if (!text) co_return fail(ErrorCode::no_handler, "texts only");
    heard.push_back(text->text);
    co_return to_payload(Text{"version " + std::to_string(heard.size()), ""});
  });
  member("critic", {"more", "APPROVE"});
  const Watched watched = run("poets/alice", "a poem");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->text, "version 2");
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0], "a poem");
  EXPECT_THAT(heard[1], StartsWith("critic: more\n\nWrite a new version")) << "only what it has not heard";
}

TEST_F(TeamManagerTest, retries_a_member_that_fails_and_says_so) {
  host_team(R"(
  - type: team
    kind: pipeline
    participants: [{agent: a, on_failure: {retries: 1, backoff: 0ms}}]
)");
  member("a", {"!", "done"});
  const Watched watched = run("team/x", "task");
  ASSERT_TRUE(watched.answer);
  EXPECT_EQ(watched.answer->text, "done");
  EXPECT_EQ(watched.events.at(1).event, "participant_failed");
  EXPECT_EQ(watched.events.at(1).detail, "upstream_failed");
  EXPECT_THAT(watched.events.at(1).text, HasSubstr("tries again"));
}

/// A member that spends 1000 tokens each time and then fails.
struct TeamSpend : TeamManagerTest {
  TeamSpend() {
    host_closure("waster", [this](const Payload&, Context&) -> Task<Result<Payload>> {
      ++calls;
      Error error(ErrorCode::upstream_failed, "no answer fits");
      messages::Usage spent;
      spent.input_tokens = 1000;
      messages::set_spent_usage(error, spent);
      co_return fail(error);
    });
  }
  int calls = 0;
};

TEST_F(TeamSpend, of_failed_turns_counts_against_the_limit_of_tokens) {
  host_team(R"(
  - type: team
    kind: group_chat
    strategy: round_robin
    on_failure: {retries: 1, backoff: 0ms, then: skip}
    participants: [waster, other]
    limits: {max_tokens: 3000, max_rounds: 50}
)");
  member("other", {"hello", "again"});
  const Watched watched = run("team/x", "task");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->stop_reason, "token_budget:3000");
  EXPECT_EQ(watched.answer->usage.input_tokens, 3000U);
  EXPECT_EQ(calls, 3) << "the second attempt of its second turn is not made any more";
}

TEST_F(TeamSpend, of_a_team_that_fails_is_told_to_whoever_gave_the_task) {
  host_team("  - {type: team, kind: pipeline, participants: [waster]}\n");
  const Watched watched = run("team/x", "task");
  ASSERT_FALSE(watched.answer);
  EXPECT_EQ(messages::spent_usage(watched.answer.error()).input_tokens, 1000U);
}

TEST_F(TeamManagerTest, replaces_skips_and_aborts_by_policy) {
  host_team(R"(
  - type: team
    kind: pipeline
    on_failure: {then: skip}
    participants:
      - a
      - {agent: b, on_failure: {then: replace, replacement: c}}
      - {agent: d, on_failure: {then: abort}}
)");
  member("a", {"!"});
  member("b", {"!"});
  member("c", {"by c"});
  member("d", {"!"});
  const Watched watched = run("team/x", "task");
  ASSERT_TRUE(watched.answer);
  EXPECT_THAT(watched.turns, ElementsAre("b: by c"));
  EXPECT_EQ(watched.answer->text, "by c");
  EXPECT_EQ(watched.answer->stop_reason, "aborted:d failed: upstream_failed: d is broken");
  EXPECT_THAT(counts->told, ElementsAre("began", "skip", "replace", "abort", "ended aborted after 3"));
}

TEST_F(TeamManagerTest, fails_with_the_members_error_when_there_is_no_result) {
  host_team("  - {type: team, kind: pipeline, participants: [a]}\n");
  member("a", {"!"});
  const Watched watched = run("team/x", "task");
  ASSERT_FALSE(watched.answer);
  EXPECT_EQ(watched.answer.error().code, ErrorCode::upstream_failed);
  EXPECT_THAT(counts->told, ElementsAre("began", "abort", "ended failed after 1"));
  EXPECT_EQ(watched.answer.error().message, "a: a is broken");
}

TEST_F(TeamManagerTest, follows_handoffs_and_refuses_wrong_ones) {
  host_team(R"(
  - type: desk
    kind: group_chat
    strategy: swarm
    participants: [triage, sales]
    on_failure: {retries: 1, backoff: 0ms}
)");
  member("triage", {">nobody", ">sales"});
  member("sales", {"it costs 5"});
  const Watched watched = run("desk/x", "how much?");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->text, "it costs 5");
  EXPECT_EQ(watched.answer->stop_reason, "answered:sales");
  EXPECT_THAT(watched.events.at(1).text, HasSubstr("handed over to 'nobody', which is none of sales, user"));
  EXPECT_THAT(turns["triage"].at(0).handoffs, ElementsAre("sales", "user"));
}

TEST_F(TeamManagerTest, lets_a_model_select_and_counts_it) {
  host_team(R"(
  - type: chat
    kind: group_chat
    strategy: selector
    participants: [a, b, c]
    termination: [{text: DONE}]
models:
  m: {provider: offline}
)");
  model->will_answer("b");
  model->will_answer("c");
  member("b", {"hello"});
  member("c", {"DONE"});
  const Watched watched = run("chat/x", "task");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_THAT(watched.turns, ElementsAre("b: hello", "c: DONE"));
  EXPECT_EQ(watched.answer->stop_reason, "text:DONE");
  EXPECT_EQ(watched.answer->usage.input_tokens, 20U);
}

TEST_F(TeamManagerTest, nests_teams_and_shows_their_members) {
  host_team(R"(
  - {type: outer, kind: pipeline, participants: [inner, last]}
  - {type: inner, kind: pipeline, participants: [a, b]}
)");
  member("a", {"1"});
  member("b", {"2"});
  member("last", {"3"});
  const Watched watched = run("outer/x", "task");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->text, "3");
  EXPECT_THAT(watched.turns, ElementsAre("a: 1", "b: 2", "inner: 2", "last: 3"));
  EXPECT_THAT(keys["a"], ElementsAre("inner~outer~x"));
  EXPECT_EQ(watched.answer->usage.output_tokens, 3U);
}

TEST_F(TeamManagerTest, pays_for_selectors_of_inner_teams_in_the_outer_teams_conversation) {
  host_team(R"(
  - {type: outer, kind: pipeline, participants: [inner]}
  - type: inner
    kind: group_chat
    strategy: selector
    participants: [a, b, c]
    limits: {max_rounds: 1}
models:
  m: {provider: offline}
)");
  model->will_answer("b");
  member("b", {"hello"});
  ASSERT_TRUE(run("outer/x", "task").answer);
  EXPECT_EQ(model->requests.at(0).caller.conversation, "outer~x");
}

TEST_F(TeamManagerTest, runs_members_in_parallel) {
  host_team(R"(
  - type: team
    kind: pipeline
    mode: parallel
    participants: [a, b]
    aggregator: sum
)");
  for (const char* name : {"a", "b"}) {
    host_closure(name, [name](const Payload& message, Context& context) -> Task<Result<Payload>> {
      if (!from_payload<TurnRequest>(message)) co_return fail(ErrorCode::no_handler, "");
      const Result<> slept = co_await context.sleep(std::chrono::seconds(10));
      if (!slept) co_return fail(slept.error());
      co_return to_payload(Text{name, ""});
    });
  }
  member("sum", {"both"});
  std::optional<Watched> watched;
  asio::co_spawn(io, watch("team/x", "task"),
                 [&watched](const std::exception_ptr&, Watched result) { watched = std::move(result); });
  runtime.advance(std::chrono::seconds(11));
  ASSERT_TRUE(watched) << "one after the other they would need 20 s";
  ASSERT_TRUE(watched->answer) << watched->answer.error().message;
  EXPECT_EQ(watched->answer->text, "both");
  EXPECT_EQ(turns["sum"].at(0).thread.size(), 3U);
}

/// Members that speak, and then wait until somebody cancels them, in which case they are noted.
struct TeamStop : TeamManagerTest {
  void hanging_member(const std::string& name) {
    host_closure(name, [this, name](const Payload& message, Context& context) -> Task<Result<Payload>> {
      if (!from_payload<TurnRequest>(message)) co_return fail(ErrorCode::no_handler, "");
      const TextPart part{"well, ", ""};
      const Result<> sent = co_await context.part(part);
      EXPECT_TRUE(sent);
      const Result<> slept = co_await context.sleep(std::chrono::hours(1));
      if (!slept) cut.push_back(name + ": " + to_string(slept.error().code));
      co_return fail(slept ? Error(ErrorCode::invalid, "it slept") : slept.error());
    });
  }
  void begin(const std::string& target) {
    watched.reset();
    asio::co_spawn(io, watch(target, "task"),
                   [this](const std::exception_ptr&, Watched result) { watched = std::move(result); });
    runtime.advance(std::chrono::seconds(1));
    ASSERT_FALSE(watched) << "it ended by itself";
  }
  Result<Answer> stop(const std::string& target, const std::string& why) {
    Result<Answer> said = request<Answer>(target, why);
    runtime.advance(std::chrono::milliseconds(1));
    return said;
  }

  std::optional<Watched> watched;
  std::vector<std::string> cut;
};

TEST_F(TeamStop, ends_the_turn_under_way_at_once_with_what_there_is_so_far) {
  host_team("  - {type: chat, kind: group_chat, participants: [a, b]}\n");
  member("a", {"working"});
  hanging_member("b");
  begin("chat/x");
  ASSERT_TRUE(stop("chat/x!stop", "enough"));
  ASSERT_TRUE(watched) << "it waits for the turn";
  ASSERT_TRUE(watched->answer) << watched->answer.error().message;
  EXPECT_EQ(watched->answer->stop_reason, "external:enough");
  EXPECT_EQ(watched->answer->text, "working");
  EXPECT_THAT(cut, ElementsAre("b: cancelled"));
  EXPECT_THAT(counts->told, ElementsAre("began", "ended external after 2"));
  const TeamEvent& event = watched->events.at(watched->events.size() - 2);
  EXPECT_EQ(event.event, "participant_failed");
  EXPECT_EQ(event.from, "b");
  EXPECT_EQ(event.detail, "cancelled");
  EXPECT_EQ(watched->events.back().event, "ended");
}

TEST_F(TeamStop, keeps_what_the_others_of_a_round_have_said) {
  host_team("  - {type: chat, kind: group_chat, strategy: broadcast, participants: [a, b, c]}\n");
  member("a", {"mine"});
  hanging_member("b");
  hanging_member("c");
  begin("chat/x");
  ASSERT_TRUE(stop("chat/x!stop", "enough"));
  ASSERT_TRUE(watched && watched->answer);
  EXPECT_EQ(watched->answer->stop_reason, "external:enough");
  EXPECT_THAT(watched->answer->text, HasSubstr("mine"));
  EXPECT_THAT(cut, testing::UnorderedElementsAre("b: cancelled", "c: cancelled"));
}

TEST_F(TeamStop, ends_the_pause_before_a_failed_turn_is_tried_again) {
  host_team("  - {type: chat, kind: group_chat, participants: [a, b], on_failure: {retries: 3, backoff: 1m}}\n");
  member("a", {"!"});
  begin("chat/x");
  ASSERT_TRUE(stop("chat/x!stop", "enough"));
  ASSERT_TRUE(watched && watched->answer);
  EXPECT_EQ(watched->answer->stop_reason, "external:enough");
}

TEST_F(TeamStop, ends_an_inner_team_with_its_outer_one_across_the_wire) {
  host_team(R"(
  - {type: outer, kind: group_chat, participants: [a, inner]}
  - {type: inner, kind: group_chat, participants: [b, a]}
)");
  member("a", {"working"});
  hanging_member("b");
  begin("outer/x");
  ASSERT_TRUE(stop("outer/x!stop", "enough"));
  ASSERT_TRUE(watched && watched->answer);
  EXPECT_EQ(watched->answer->text, "working");
  EXPECT_THAT(cut, ElementsAre("b: cancelled"));
}

TEST_F(TeamStop, of_a_conversation_that_is_not_under_way_is_refused_and_forgotten) {
  host_team("  - {type: chat, kind: group_chat, participants: [a, b], limits: {max_rounds: 1}}\n");
  member("a", {"x"});
  const Result<Answer> early = stop("chat/x!stop", "too early");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::invalid);
  EXPECT_THAT(early.error().message, HasSubstr("no conversation of 'chat/x' is under way"));
  const Watched after = run("chat/x", "task");
  ASSERT_TRUE(after.answer) << after.answer.error().message;
  EXPECT_EQ(after.answer->stop_reason, "max_rounds:1");
}

TEST_F(TeamStop, leaves_the_next_task_alone) {
  host_team("  - {type: chat, kind: group_chat, participants: [a, b], limits: {max_rounds: 2}}\n");
  member("a", {"one", "two"});
  hanging_member("b");
  begin("chat/x");
  ASSERT_TRUE(stop("chat/x!stop", "enough"));
  ASSERT_TRUE(watched);
  begin("chat/x");
  EXPECT_THAT(turns["a"], testing::SizeIs(2)) << "the next task runs";
  ASSERT_TRUE(stop("chat/x!stop", "enough")) << "what waits in an agent must end before its runtime";
}

TEST_F(TeamManagerTest, ends_at_its_time_although_a_member_hangs) {
  host_team(R"(
  - {type: chat, kind: group_chat, participants: [a, b], limits: {max_time: 30s}}
)");
  member("a", {"something"});
  host_closure("b", [](const Payload& message, Context& context) -> Task<Result<Payload>> {
    if (!from_payload<TurnRequest>(message)) co_return fail(ErrorCode::no_handler, "");
    const Result<> slept = co_await context.sleep(std::chrono::hours(1));
    co_return fail(slept ? Error(ErrorCode::invalid, "it slept") : slept.error());
  });
  std::optional<Watched> watched;
  asio::co_spawn(io, watch("chat/x", "task"),
                 [&watched](const std::exception_ptr&, Watched result) { watched = std::move(result); });
  runtime.advance(std::chrono::seconds(31));
  ASSERT_TRUE(watched);
  ASSERT_TRUE(watched->answer) << watched->answer.error().message;
  EXPECT_EQ(watched->answer->stop_reason, "time:30s");
  EXPECT_EQ(watched->answer->text, "something");
}

TEST_F(TeamManagerTest, asks_an_agent_whether_it_is_over) {
  host_team(R"(
  - {type: chat, kind: group_chat, participants: [a, b], termination: [{agent: judge}]}
)");
  member("a", {"1"});
  member("b", {"2"});
  host_closure("judge", [calls = 0](const Payload& message, Context&) mutable -> Task<Result<Payload>> {
    EXPECT_THAT(from_payload<Text>(message)->text, HasSubstr("a: 1"));
    co_return to_payload(Text{++calls == 1 ? "CONTINUE" : "DONE: it is a pair", ""});
  });
  const Watched watched = run("chat/x", "task");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->stop_reason, "agent:judge: DONE: it is a pair");
}

TEST_F(TeamManagerTest, lets_a_manager_delegate) {
  host_team(R"(
  - {type: firm, kind: hierarchical, participants: [digger, painter], model: m}
models:
  m: {provider: offline}
)");
  model->will_answer(R"({"assignments": [{"to": "digger", "task": "dig"}, {"to": "painter", "task": "paint"}]})");
  model->will_answer(R"({"done": true, "answer": "a house"})");
  member("digger", {"dug"});
  member("painter", {"painted"});
  const Watched watched = run("firm/x", "a house");
  ASSERT_TRUE(watched.answer) << watched.answer.error().message;
  EXPECT_EQ(watched.answer->text, "a house");
  EXPECT_EQ(turns["painter"].at(0).instruction, "paint");
}

TEST_F(TeamManagerTest, continues_from_saved_state_with_the_next_task) {
  host_team(kPoets);
  member("poet", {"a rose"});
  member("critic", {"APPROVE"});
  (void)run("poets/alice", "a poem");
  const auto saved = runtime.save_state();
  ASSERT_TRUE(saved);
  ASSERT_TRUE(saved->contains("poets/alice"));
  EXPECT_FALSE(saved->contains("poets/alice!stop"));
}

TEST_F(TeamManagerTest, refuses_a_message_that_nobody_would_get_the_answer_of) {
  host_team(kPoets);
  member("poet", {"x"});
  const Text text{"a poem", ""};
  ASSERT_TRUE(test::run_task(io, runtime.client().send(*AgentId::parse("poets/alice"), text)));
  drain();
  EXPECT_THAT(turns["poet"], IsEmpty());
}

TEST(ConversationKey, stays_within_the_limit_of_keys) {
  const AgentId manager = *AgentId::make("team", std::string(250, 'x'));
  EXPECT_LE(conversation_key(manager, 12).size(), kMaxAgentKeyBytes);
  EXPECT_NE(conversation_key(manager, 12), conversation_key(manager, 13));
  EXPECT_EQ(conversation_key(*AgentId::make("team", "x"), 1), "team~x");
}

/// All that is wrong with a list of agents.
std::string problems_with(const std::string& agents) {
  const auto document = config::parse_yaml("models:\n  m: {provider: offline}\nagents:\n" + agents, "test.yaml");
  const auto config = host::read_agents(*document);
  return config ? std::string() : config.error().str();
}

TEST(TeamConfig, reports_all_problems_of_a_team_at_once) {
  const std::string problems = problems_with(R"(
  - type: chat
    kind: group_chat
    strategy: graph
    participants: [a, b, a, user]
    edges: [{from: a, to: x}, {from: b, to: a, contains: x, otherwise: true}, {from: b, to: a, regex: "("}]
    termination: [{text: APPROVE, source: a}, {tokens: 0}, {text: DONE, by: [z]}]
    limits: {max_rounds: 0, max_cost_usd: -1}
    answer_by: nobody
    histroy: {}
)");
  for (const char* expected :
       {"each member once", "not 'user'", "'x': expected the name of a member", "at most one of contains",
        "expected a regular expression", "expected exactly one of any", "termination[1].tokens", "'z'", "max_rounds",
        "max_cost_usd", "answer_by", "did you mean 'history'?"}) {
    EXPECT_THAT(problems, HasSubstr(expected));
  }
}

TEST(TeamConfig, reports_what_is_wrong_with_a_graph) {
  EXPECT_THAT(problems_with(R"(
  - {type: chat, kind: group_chat, strategy: graph, participants: [a, b, c], edges: [{from: a, to: b}, {from: b, to: a}], start: a}
)"),
              testing::AllOf(HasSubstr("'c' cannot be reached"), HasSubstr("the loop of a and b never ends")));
}

TEST(TeamConfig, takes_every_kind_of_team) {
  EXPECT_EQ(problems_with(R"(
  - {type: t1, kind: group_chat, participants: [a, {name: b, agent: "@writing", visible_to: [a]}]}
  - {type: t2, kind: group_chat, strategy: selector, participants: [a, b], next_speakers: {a: [b]}, fallback: a}
  - {type: t3, kind: group_chat, strategy: broadcast, participants: [a, b], rounds: 2, aggregate: vote}
  - {type: t4, kind: two_agent_chat, initiator: a, responder: {agent: b/fixed}, initiate: "{{task}}?"}
  - {type: t5, kind: reflection, writer: a, reviewer: b, accept: OK, max_revisions: 0}
  - {type: t6, kind: pipeline, mode: parallel, participants: [a, b], aggregator: c, instructions: {c: sum up}}
  - {type: t7, kind: hierarchical, participants: [a], manager: planner, repetition: false}
  - {type: t8, kind: group_chat, participants: [a, b], termination: [{all: [{text: X}, {any: [{time: 1m}, {external: true}]}]}]}
)"),
            "");
}

TEST(TeamConfig, knows_the_members_of_a_team) {
  const auto document = config::parse_yaml(
      "agents:\n  - {type: t, kind: pipeline, participants: [a, {name: b, agent: c/fixed}]}\n", "test.yaml");
  const auto config = host::read_agents(*document);
  ASSERT_TRUE(config) << config.error().str();
  EXPECT_TRUE(config->agents.at(0).is_team);
  EXPECT_THAT(config->agents.at(0).members, ElementsAre("a", "c"));
}

}  // namespace
}  // namespace parley::kinds
