// The desk and those who ask at it, in one process with virtual time.
#include "agents/kinds/question_desk.hpp"

#include <asio/co_spawn.hpp>

#include "agents/people/ask.hpp"
#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {
namespace {

using messages::Answered;
using messages::AnswerQuestion;
using messages::QuestionList;
using messages::Questions;
using std::chrono::milliseconds;

struct QuestionDeskTest : KindsFixture {
  void host_desk() {
    host("sys.questions", [this](const AgentId&) { return std::make_unique<QuestionDesk>(board); });
  }
  /// An agent that asks a person and replies with what it heard.
  void host_asker() {
    host_closure("asker", [this](const Payload&, Context& context) -> Task<Result<Payload>> {
      const Result<Answered> answered = co_await people::ask_person(context, question);
      if (!answered) co_return fail(answered.error());
      co_return to_payload(*answered);
    });
  }
  void begin(milliseconds patience = std::chrono::minutes(30)) {
    asio::co_spawn(io, run(patience), asio::detached);
    settle();
  }
  void settle() {
    io.restart();
    io.poll();
  }
  std::vector<messages::PendingQuestion> waiting() {
    const QuestionList all;
    const auto listed = test::run_task(io, runtime.client().request<Questions>(desk, all));
    return listed ? listed->questions : std::vector<messages::PendingQuestion>{};
  }
  Result<> answer(const std::string& id, const std::string& text) {
    AnswerQuestion given;
    given.id = id;
    given.answer = text;
    const auto done = test::run_task(io, runtime.client().request(desk, to_payload(given)));
    settle();
    if (!done) return fail(done.error());
    return {};
  }

  std::shared_ptr<people::QuestionBoard> board = std::make_shared<people::QuestionBoard>();
  AgentId desk = *AgentId::parse("sys.questions/default");
  people::Question question{.text = "How many days?", .timeout = milliseconds(60'000)};
  std::optional<Result<Answered>> heard;

 private:
  Task<> run(milliseconds patience) {
    const Text text{"go", "user"};
    CallOptions options;
    options.timeout = patience;
    heard = co_await runtime.client().request<Answered>(*AgentId::parse("asker/a"), text, options);
  }
};

TEST_F(QuestionDeskTest, brings_a_persons_answer_to_the_agent_that_asked) {
  host_desk();
  host_asker();
  begin();
  const auto open = waiting();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].question, "How many days?");
  EXPECT_EQ(open[0].asked_by, "asker/a");
  ASSERT_TRUE(answer(open[0].id, "28"));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->answer, "28");
  EXPECT_FALSE((*heard)->is_default);
  EXPECT_TRUE(waiting().empty());
}

TEST_F(QuestionDeskTest, gives_the_default_answer_when_the_time_is_over) {
  question.default_answer = "none";
  host_desk();
  host_asker();
  begin();
  runtime.advance(milliseconds(60'001));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->answer, "none");
  EXPECT_TRUE((*heard)->is_default);
  EXPECT_TRUE(waiting().empty());
}

TEST_F(QuestionDeskTest, without_a_default_the_end_of_its_time_is_a_timeout) {
  host_desk();
  host_asker();
  begin();
  runtime.advance(milliseconds(60'001));
  ASSERT_TRUE(heard && !*heard);
  EXPECT_EQ(heard->error().code, ErrorCode::timeout);
}

TEST_F(QuestionDeskTest, tells_whoever_asked_how_long_nobody_has_answered) {
  host_desk();
  host_closure("asker", [](const Payload&, Context& context) -> Task<Result<Payload>> {
    messages::Ask ask;
    ask.question = "?";
    ask.kind = "input";
    ask.timeout_ms = 120'000;
    CallOptions options;
    options.timeout = std::chrono::minutes(5);
    const AgentId standing = *AgentId::parse("sys.questions/q1");
    const Result<Answered> answered = co_await context.request<Answered>(standing, ask, std::move(options));
    if (!answered) co_return fail(answered.error());
    co_return to_payload(*answered);
  });
  begin();
  runtime.advance(milliseconds(120'001));
  ASSERT_TRUE(heard && !*heard);
  EXPECT_EQ(heard->error().message, "nobody has answered the question within 2m");
}

TEST_F(QuestionDeskTest, the_default_comes_before_the_asking_agents_own_deadline) {
  question.default_answer = "none";
  host_desk();
  host_asker();
  begin(milliseconds(10'000));
  runtime.advance(milliseconds(9'800));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->answer, "none");
}

TEST_F(QuestionDeskTest, an_approval_that_nobody_gives_is_a_rejection) {
  question = people::approval("Pay 5 EUR?", milliseconds(1000));
  host_desk();
  host_asker();
  begin();
  EXPECT_EQ(waiting().at(0).kind, "approval");
  runtime.advance(milliseconds(1500));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->answer, people::kReject);
}

TEST_F(QuestionDeskTest, without_a_desk_asking_fails_with_what_to_do) {
  host_asker();
  begin();
  ASSERT_TRUE(heard && !*heard);
  EXPECT_EQ(heard->error().code, ErrorCode::unknown_agent_type);
  EXPECT_THAT(heard->error().message, testing::HasSubstr("question_desk"));
}

TEST_F(QuestionDeskTest, a_question_whose_asker_gave_up_does_not_wait_any_more) {
  host_desk();
  host_asker();
  begin(milliseconds(10'000));
  EXPECT_EQ(waiting().size(), 1U);
  runtime.advance(milliseconds(10'001));
  EXPECT_TRUE(waiting().empty());
}

TEST_F(QuestionDeskTest, asks_again_under_the_same_id_when_the_desk_is_lost) {
  std::vector<std::string> ids;
  host_closure("sys.questions", [&](const Payload&, Context& context) -> Task<Result<Payload>> {
    ids.push_back(context.self().key());
    if (ids.size() < 3) co_return fail(ErrorCode::worker_lost, "gone");
    const Answered answered{"7", "bob", false};
    co_return to_payload(answered);
  });
  host_asker();
  begin();
  runtime.advance(milliseconds(1000));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->answer, "7");
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_EQ(ids[0], ids[2]);
}

TEST_F(QuestionDeskTest, a_question_needs_an_id_of_its_own) {
  host_desk();
  messages::Ask ask;
  ask.question = "?";
  ask.kind = "input";
  ask.timeout_ms = 10;
  const auto refused = test::run_task(io, runtime.client().request(desk, to_payload(ask)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace parley::kinds
