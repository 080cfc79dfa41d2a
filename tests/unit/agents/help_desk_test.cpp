// The help desk in one process: user proxy, router and departments as a configuration names them.
#include <map>

#include "agents/host/agents_config.hpp"
#include "agents/host/deployment.hpp"
#include "services/config/yaml.hpp"
#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHelpDesk = R"(
models:
  hr_model: {provider: offline, prefix: "", rules: [{regex: "^(.*)$", reply: "hr heard $1"}]}
  finance_model: {provider: offline, prefix: "", default_reply: finance heard it, chunk_bytes: 8}
workers:
  - name: all
    agents:
      - type: router
        kind: semantic_router
        routes:
          - {name: HR, agent_type: hr, description: holidays, phrases: [hr, human resources, employee]}
          - {name: finance, description: invoices, phrases: [finance, money, budget]}
          - {name: legal, description: contracts, phrases: [lawyer]}
      - {type: hr, kind: assistant, model: hr_model}
      - {type: finance, kind: assistant, model: finance_model}
      - {type: user_proxy, kind: user_proxy, timeout: 5s, subscriptions: [chat.messages]}
)";

struct HelpDesk : KindsFixture {
  HelpDesk() {
    const auto document = config::parse_yaml(kHelpDesk, "test.yaml");
    auto suite = host::read_suite(*document);
    EXPECT_TRUE(suite) << suite.error().str();
    EXPECT_TRUE(deployment.prepare(suite->workers.at(0).config));
    EXPECT_TRUE(test::run_task(io, deployment.deploy(runtime, suite->workers.at(0).config)));
  }

  /// What the user proxy answers in a session.
  Answer say(const std::string& session, const std::string& text) {
    Result<Answer> answer = request<Answer>("user_proxy/" + session, text);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::move(*answer) : Answer();
  }

  SeededRandom random{1};
  host::Deployment deployment{io, clock, random};
};

TEST_F(HelpDesk, brings_the_first_message_to_the_department_that_it_is_about) {
  EXPECT_EQ(say("alice", "I am an employee").from, "hr");
  EXPECT_EQ(say("bob", "I need money").from, "finance");
}

TEST_F(HelpDesk, brings_the_following_messages_to_the_same_department) {
  say("alice", "I am an employee");
  EXPECT_EQ(say("alice", "and I ask about my budget").text, "hr heard and I ask about my budget");
}

TEST_F(HelpDesk, keeps_two_sessions_apart) {
  say("alice", "hr");
  say("bob", "finance");
  EXPECT_EQ(say("alice", "more").from, "hr");
  EXPECT_EQ(say("bob", "more").from, "finance");
}

TEST_F(HelpDesk, asks_back_when_the_intent_is_unknown_and_goes_on) {
  const Answer question = say("alice", "what is the weather?");
  EXPECT_EQ(question.from, "router");
  EXPECT_THAT(question.text, HasSubstr("- HR: holidays"));
  EXPECT_FALSE(question.is_final);
  EXPECT_EQ(say("alice", "human resources then").from, "hr");
}

TEST_F(HelpDesk, disconnects_at_the_end_word_and_confirms) {
  say("alice", "hr");
  const Answer farewell = say("alice", "END");
  EXPECT_THAT(farewell.text, HasSubstr("disconnected from 'hr'"));
  EXPECT_TRUE(farewell.is_final);
}

TEST_F(HelpDesk, starts_anew_after_the_end) {
  say("alice", "hr");
  say("alice", "END");
  EXPECT_EQ(say("alice", "money").from, "finance");
}

TEST_F(HelpDesk, has_nothing_to_end_before_a_conversation) {
  EXPECT_THAT(say("alice", "END").text, HasSubstr("no conversation"));
}

TEST_F(HelpDesk, streams_the_departments_parts_through_the_proxy) {
  const Result<Heard> heard = converse("user_proxy/alice", "money");
  ASSERT_TRUE(heard) << heard.error().message;
  EXPECT_THAT(heard->parts, ElementsAre("finance ", "heard it"));
  EXPECT_EQ(heard->answer.text, "finance heard it");
}

TEST_F(HelpDesk, shows_the_user_who_speaks_in_a_team_that_answers) {
  const auto work = [](const Payload&, Context& context) -> Task<Result<Payload>> {
    const messages::TeamEvent event{"turn_started", "legal", "attorney", "", "", {}};
    const Result<> told = co_await context.part(event);
    EXPECT_TRUE(told);
    co_return to_payload(Text{"done", "legal"});
  };
  host_closure("legal", work);
  const Result<Heard> heard = converse("user_proxy/alice", "I need a lawyer");
  ASSERT_TRUE(heard) << heard.error().message;
  ASSERT_EQ(heard->events.size(), 1U);
  EXPECT_EQ(heard->events[0].from, "attorney");
}

TEST_F(HelpDesk, tells_the_user_that_a_department_is_not_there_and_routes_the_next_message) {
  const Answer apology = say("alice", "I need a lawyer");
  EXPECT_EQ(apology.from, "user_proxy");
  EXPECT_THAT(apology.text, HasSubstr("'legal' is not available right now (unknown_agent_type)"));
  EXPECT_FALSE(apology.is_final);
  EXPECT_EQ(say("alice", "hr").from, "hr");
}

TEST_F(HelpDesk, tells_the_user_in_words_that_a_department_failed_and_stays_with_it) {
  host_closure("legal", [calls = 0](const Payload&, Context&) mutable -> Task<Result<Payload>> {
    if (++calls == 1) co_return fail(ErrorCode::upstream_failed, "the model is away");
    co_return to_payload(Answer{"here I am", "legal", false, {}});
  });
  const Answer apology = say("alice", "lawyer");
  EXPECT_THAT(apology.text, HasSubstr("'legal' could not answer (upstream_failed): the model is away"));
  EXPECT_EQ(say("alice", "are you there?").text, "here I am");
}

TEST_F(HelpDesk, ends_the_conversation_when_the_agent_says_so) {
  host_closure("legal", [](const Payload&, Context&) -> Task<Result<Payload>> {
    co_return to_payload(Answer{"case closed", "legal", true, {}});
  });
  EXPECT_TRUE(say("alice", "lawyer").is_final);
  EXPECT_EQ(say("alice", "money").from, "finance");
}

TEST_F(HelpDesk, gives_agents_of_a_new_conversation_a_new_key) {
  std::vector<std::string> keys;
  host_closure("legal", [&keys](const Payload&, Context& context) -> Task<Result<Payload>> {
    keys.push_back(context.self().key());
    co_return to_payload(Text{"noted", ""});
  });
  for (const char* text : {"lawyer", "more", "END", "lawyer"}) say("alice", text);
  EXPECT_THAT(keys, ElementsAre("alice", "alice", "alice~2"));
}

TEST_F(HelpDesk, tells_the_user_that_a_department_did_not_answer_in_time) {
  host_closure("legal", [](const Payload&, Context& context) -> Task<Result<Payload>> {
    const Result<> slept = co_await context.sleep(std::chrono::hours(1));
    co_return fail(slept ? Error(ErrorCode::invalid, "it slept") : slept.error());
  });
  std::optional<Result<Answer>> answer;
  asio::co_spawn(io, runtime.client().request<Answer>(*AgentId::parse("user_proxy/alice"), Text{"lawyer", ""}),
                 [&answer](const std::exception_ptr&, Result<Answer> result) { answer = std::move(result); });
  runtime.advance(std::chrono::seconds(6));
  ASSERT_TRUE(answer && *answer);
  EXPECT_THAT((*answer)->text, HasSubstr("did not answer in time (timeout)"));
}

TEST_F(HelpDesk, answers_one_way_messages_and_events_on_the_sessions_topic) {
  std::map<std::string, std::vector<std::string>> heard;
  host_closure("edge",
               [&heard](const Payload& message, Context& context) -> Task<Result<Payload>> {
                 const Result<Answer> answer = from_payload<Answer>(message);
                 heard[context.topic()->str()].push_back(answer ? answer->text : from_payload<TextPart>(message)->text);
                 co_return Payload{};
               },
               {TopicFilter{"chat.replies", true}});
  CallOptions options;
  options.attributes = {{std::string(kReplyTopicAttribute), "chat.replies.mine"}};
  ASSERT_TRUE(test::run_task(
      io, runtime.client().send(*AgentId::parse("user_proxy/alice"), to_payload(Text{"money", ""}), options)));
  ASSERT_TRUE(
      test::run_task(io, runtime.client().publish(*Topic::parse("chat.messages/bob"), to_payload(Text{"money", ""}))));
  drain();
  EXPECT_THAT(heard["chat.replies.mine/alice"], ElementsAre("finance ", "heard it", "finance heard it"));
  EXPECT_THAT(heard["chat.replies/bob"], ElementsAre("finance ", "heard it", "finance heard it"));
}

struct ModelRouter : KindsFixture {
  ModelRouter() {
    const std::vector<Route> routes{{"HR", "hr", "holidays"}, {"finance", "fin", "money"}};
    host("router", [this, routes](const AgentId&) { return std::make_unique<SemanticRouter>(routes, model); });
  }
  std::shared_ptr<test::ScriptedModel> model = std::make_shared<test::ScriptedModel>();
};

TEST_F(ModelRouter, takes_the_route_that_the_model_names) {
  model->will_answer("Finance");
  const Result<Routed> routed = request<Routed>("router/alice", "where is my invoice?");
  ASSERT_TRUE(routed) << routed.error().message;
  EXPECT_EQ(*routed, (Routed{"fin", "finance", ""}));
  EXPECT_EQ(model->requests.at(0).messages.at(1).content, "where is my invoice?");
}

TEST_F(ModelRouter, asks_back_when_the_model_names_no_route) {
  model->will_answer("Let me transfer you to the CEO.");
  const Result<Routed> routed = request<Routed>("router/alice", "hello");
  ASSERT_TRUE(routed) << routed.error().message;
  EXPECT_EQ(routed->agent_type, "");
  EXPECT_THAT(routed->question, HasSubstr("- HR: holidays"));
}

TEST_F(ModelRouter, passes_the_models_error_on) {
  model->will_fail(ErrorCode::unauthorized, "no key");
  const Result<Routed> routed = request<Routed>("router/alice", "hello");
  ASSERT_FALSE(routed);
  EXPECT_EQ(routed.error().code, ErrorCode::unauthorized);
}

}  // namespace
}  // namespace parley::kinds
