// The user proxy as a member of conversations.
#include "agents/kinds/question_desk.hpp"
#include "libmsg/messages/conversation.hpp"
#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {
namespace {

using messages::TeamEvent;
using messages::ThreadMessage;
using messages::TurnRequest;
using std::chrono::milliseconds;
using testing::HasSubstr;

struct UserProxyMember : KindsFixture {
  UserProxyMember() {
    host("sys.questions", [this](const AgentId&) { return std::make_unique<QuestionDesk>(board); });
  }
  void host_proxy() {
    host("alice", [this](const AgentId& id) { return std::make_unique<UserProxy>(options, id.key()); });
  }
  /// Gives the floor; the answer is there when somebody has answered, or at once.
  void give_floor(const std::string& said, std::vector<std::string> handoffs = {}) {
    heard.reset();
    TurnRequest turn;
    turn.name = "alice";
    turn.thread.push_back({"writer", said, {}, 0});
    turn.handoffs = std::move(handoffs);
    asio::co_spawn(io, take(to_payload(turn)), asio::detached);
    io.restart();
    io.poll();
  }
  void person_says(const std::string& text) {
    const auto open = board->list({}, clock.now()).questions;
    ASSERT_EQ(open.size(), 1U);
    messages::AnswerQuestion given;
    given.id = open[0].id;
    given.answer = text;
    ASSERT_TRUE(board->answer(given, clock.now()));
    io.restart();
    io.poll();
  }

  std::shared_ptr<people::QuestionBoard> board = std::make_shared<people::QuestionBoard>();
  UserProxyOptions options;
  std::vector<TeamEvent> events;
  std::optional<Result<Answer>> heard;

 private:
  Task<> take(Payload turn) {
    CallOptions call;
    call.timeout = std::chrono::hours(1);
    auto stream =
        co_await runtime.client().request_stream(*AgentId::parse("alice/c1"), std::move(turn), std::move(call));
    for (;;) {
      Result<std::optional<Payload>> piece = co_await stream->next();
      if (!piece) {
        heard = fail(piece.error());
        co_return;
      }
      if (!*piece) break;
      if (auto event = from_payload<TeamEvent>(**piece)) events.push_back(std::move(*event));
    }
    heard = from_payload<Answer>(stream->reply());
  }
};

TEST_F(UserProxyMember, brings_the_conversation_to_a_person_and_the_answer_back) {
  host_proxy();
  give_floor("Is this poem good?");
  EXPECT_FALSE(heard);
  EXPECT_THAT(board->list({}, clock.now()).questions.at(0).question, HasSubstr("writer says: Is this poem good?"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, "question");
  person_says("It lacks a moon.");
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->text, "It lacks a moon.");
  EXPECT_EQ((*heard)->from, "alice");
  EXPECT_FALSE((*heard)->is_final);
}

TEST_F(UserProxyMember, ends_the_conversation_when_the_person_says_so) {
  host_proxy();
  give_floor("More?");
  person_says("end");
  ASSERT_TRUE(heard && *heard);
  EXPECT_TRUE((*heard)->is_final);
}

TEST_F(UserProxyMember, answers_by_itself_without_asking_anybody_when_told_never_to) {
  options.human_input.mode = HumanInputOptions::Mode::never;
  options.human_input.default_reply = "Go on.";
  host_proxy();
  give_floor("More?");
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->text, "Go on.");
  EXPECT_TRUE(events.empty());
}

TEST_F(UserProxyMember, takes_the_default_answer_when_nobody_is_there) {
  options.default_answer = "Do as you think best.";
  options.input_timeout = milliseconds(5000);
  host_proxy();
  give_floor("Which colour?");
  runtime.advance(milliseconds(5001));
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->text, "Do as you think best.");
}

TEST_F(UserProxyMember, fails_with_timeout_when_nobody_is_there_and_nothing_else_was_said) {
  options.input_timeout = milliseconds(5000);
  host_proxy();
  give_floor("Which colour?");
  runtime.advance(milliseconds(5001));
  ASSERT_TRUE(heard && !*heard);
  EXPECT_EQ(heard->error().code, ErrorCode::timeout);
}

TEST_F(UserProxyMember, gives_the_floor_back_to_whom_it_came_from_where_members_hand_over) {
  options.human_input.mode = HumanInputOptions::Mode::never;
  host_proxy();
  give_floor("More?", {"writer", "critic"});
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ((*heard)->handoff, "writer");
}

TEST(UserProxyState, keeps_the_count_of_answers_by_itself_and_reads_what_older_ones_saved) {
  UserProxy proxy({}, "s");
  const Result<std::string> saved = proxy.save_state();
  ASSERT_TRUE(saved);
  UserProxy other({}, "s");
  EXPECT_TRUE(other.load_state(*saved));
  Conversation old("s", "END");
  old.connect("hr");
  EXPECT_TRUE(other.load_state(old.save()));
  EXPECT_FALSE(other.load_state("nonsense"));
}

}  // namespace
}  // namespace parley::kinds
