#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>

#include "agents/llm/canonical_request.hpp"
#include "agents/llm/replay_model.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/llm/fake_model.hpp"

namespace parley::llm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

RecordedExchange exchange(std::string question, std::string answer) {
  return {json_of(request_of(std::move(question))), answer_of(std::move(answer))};
}

nlohmann::json asked(std::string text) { return json_of(request_of(std::move(text))); }

std::string text_of(const Result<ModelOutcome>& outcome) {
  return outcome && *outcome ? (*outcome)->text : "no completion";
}

TEST(Recording, keeps_everything_of_an_exchange) {
  Completion completion = answer_of("Let me see.");
  completion.tool_calls = {{"c1", "sql", R"({"q":1})"}};
  completion.finish_reason = FinishReason::tool_calls;
  completion.provider_state = "[1]";
  completion.usage.cached_input_tokens = 3;
  ModelError failure = failure_of(ErrorCode::overloaded);
  failure.retry_after = std::chrono::milliseconds(7);
  const std::string text = recording_header() + recording_line(asked("a"), completion) +
                           recording_line(asked("b"), std::unexpected(failure));
  const auto exchanges = parse_recording(text);
  ASSERT_TRUE(exchanges) << exchanges.error().message;
  ASSERT_EQ(exchanges->size(), 2U);
  EXPECT_EQ(json_of(*exchanges->at(0).outcome), json_of(completion));
  EXPECT_EQ(json_of(exchanges->at(1).outcome.error()), json_of(failure));
  EXPECT_TRUE(exchanges->at(1).outcome.error().error.retryable);
}

TEST(Recording, names_the_line_that_is_wrong) {
  EXPECT_THAT(parse_recording("").error().message, HasSubstr("line 1"));
  EXPECT_THAT(parse_recording("{}\n").error().message, HasSubstr("parley-model-recording"));
  EXPECT_THAT(parse_recording(recording_header() + "{\"request\":{}}\n").error().message,
              AllOf(HasSubstr("line 2"), HasSubstr("`text`")));
  EXPECT_THAT(parse_recording(recording_header() + "oops\n").error().message, HasSubstr("line 2"));
}

TEST(Recording, leaves_out_a_last_line_that_was_cut_off) {
  const std::string whole = recording_header() + recording_line(asked("a"), answer_of("1"));
  EXPECT_EQ(parse_recording(whole + "{\"request\":{\"mess")->size(), 1U);
}

TEST(Replay, answers_in_order_and_says_where_a_request_differs) {
  Replay replay({exchange("a", "1"), exchange("b", "2")}, ReplayMatch::order);
  EXPECT_EQ(text_of(replay.answer(asked("a"))), "1");
  EXPECT_THAT(replay.answer(asked("c")).error().message, AllOf(HasSubstr("request 2 is not the recorded one"),
                                                               HasSubstr(R"(/messages/0/content is "c" and was "b")")));
  EXPECT_EQ(text_of(replay.answer(asked("b"))), "2");
  EXPECT_THAT(replay.answer(asked("a")).error().message, HasSubstr("only 2 exchanges"));
}

TEST(Replay, finds_answers_by_their_request) {
  Replay replay({exchange("a", "1"), exchange("b", "2"), exchange("a", "3")}, ReplayMatch::request);
  EXPECT_EQ(text_of(replay.answer(asked("b"))), "2");
  EXPECT_EQ(text_of(replay.answer(asked("a"))), "1");
  EXPECT_EQ(text_of(replay.answer(asked("a"))), "3");
  EXPECT_EQ(text_of(replay.answer(asked("a"))), "3");
}

TEST(Replay, names_the_recorded_request_that_is_most_like_the_unknown_one) {
  ChatRequest hot = request_of("b");
  hot.temperature = 1;
  Replay replay({exchange("a", "1"), {json_of(hot), answer_of("2")}}, ReplayMatch::request);
  ChatRequest cold = request_of("b");
  cold.temperature = 0;
  EXPECT_THAT(replay.answer(json_of(cold)).error().message,
              AllOf(HasSubstr("exchange 2"), HasSubstr("/temperature is 0.0 and was 1.0")));
}

class ReplayFileTest : public testing::Test {
 protected:
  Outcome complete(ChatModel& model, std::string text) {
    return test::run_task(io_, model.complete(request_of(std::move(text)), {}));
  }
  [[nodiscard]] std::string content() const {
    std::ifstream stream(folder_ / "r.jsonl");
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  void write(const std::string& text) const { std::ofstream(folder_ / "r.jsonl") << text; }

  asio::io_context io_;
  test::TemporaryFolder folder_;
  std::shared_ptr<FakeModel> inner_ = std::make_shared<FakeModel>();
};

TEST_F(ReplayFileTest, plays_back_what_was_recorded) {
  inner_->will(answer_of("1"));
  inner_->will(std::unexpected(failure_of(ErrorCode::overloaded)));
  inner_->will(answer_of("3"));
  {
    const auto first = RecordingModel::make(inner_, folder_ / "r.jsonl").value();
    static_cast<void>(complete(*first, "a"));
    static_cast<void>(complete(*first, "b"));
  }
  const auto second = RecordingModel::make(inner_, folder_ / "r.jsonl").value();
  static_cast<void>(complete(*second, "c"));

  const auto replay = ReplayModel::make(folder_ / "r.jsonl", ReplayMatch::order).value();
  EXPECT_EQ(complete(*replay, "a")->text, "1");
  EXPECT_EQ(complete(*replay, "b").error().error.code, ErrorCode::overloaded);
  EXPECT_EQ(complete(*replay, "c")->text, "3");
  const Outcome more = complete(*replay, "d");
  EXPECT_EQ(more.error().error.code, ErrorCode::invalid);
  EXPECT_THAT(more.error().error.message, HasSubstr("r.jsonl"));
}

TEST_F(ReplayFileTest, is_readable_by_its_owner_only_and_holds_no_caller) {
  inner_->will(answer_of("1"));
  const auto model = RecordingModel::make(inner_, folder_ / "r.jsonl").value();
  ChatRequest request = request_of("a");
  request.caller.agent = "hr/bob";
  static_cast<void>(test::run_task(io_, model->complete(std::move(request), {})));
  struct stat about{};
  ASSERT_EQ(::stat((folder_ / "r.jsonl").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_THAT(content(), Not(HasSubstr("hr/bob")));
}

TEST_F(ReplayFileTest, refuses_files_that_are_no_recordings) {
  write("hello\n");
  EXPECT_EQ(RecordingModel::make(inner_, folder_ / "r.jsonl").error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(ReplayModel::make(folder_ / "r.jsonl", ReplayMatch::order).error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(ReplayModel::make(folder_ / "none.jsonl", ReplayMatch::order).error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(content(), "hello\n");
  write(recording_header() + "{\"requ");
  EXPECT_THAT(RecordingModel::make(inner_, folder_ / "r.jsonl").error().message, HasSubstr("cut off"));
}

}  // namespace
}  // namespace parley::llm
