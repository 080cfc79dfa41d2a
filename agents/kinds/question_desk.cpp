#include "agents/kinds/question_desk.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "libmsg/core/duration.hpp"

namespace parley::kinds {

using messages::Answered;
using messages::AnswerQuestion;
using messages::Ask;
using messages::QuestionList;
using messages::Questions;

namespace {

constexpr std::string_view kDefaultKey = "default";
/// A question that waits for hours is at work as it should be: the handler shows that it lives.
constexpr std::chrono::milliseconds kQuestionSlice{20'000};

using Wake = asio::experimental::channel<void(asio::error_code, bool)>;

/// Takes the question off the board when its request ends, however it ends.
class Standing {
 public:
  Standing(std::shared_ptr<people::QuestionBoard> board, std::string id)
      : board_(std::move(board)), id_(std::move(id)) {}
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;
  ~Standing() { board_->close(id_); }

 private:
  std::shared_ptr<people::QuestionBoard> board_;
  std::string id_;
};

/// Until there is an answer or the time is over; fails with `cancelled`.
Task<Result<>> wait(Wake& wake, Context& context, std::chrono::milliseconds time) {
  using asio::experimental::awaitable_operators::operator||;
  asio::error_code error;
  const auto first =
      co_await (wake.async_receive(asio::redirect_error(asio::use_awaitable, error)) || context.sleep(time));
  if (first.index() == 0) co_return Result<>{};
  co_return std::get<1>(first);
}

}  // namespace

Task<Result<Answered>> QuestionDesk::on(const Ask& question, Context& context) {
  const std::string id = context.self().key();
  if (id == kDefaultKey) co_return fail(ErrorCode::invalid, "a question needs an id of its own as agent key");
  if (!context.is_request()) co_return fail(ErrorCode::invalid, "a question must be a request: nobody gets its answer");
  // The board may hold the closure for longer than this turn lives.
  const auto wake = std::make_shared<Wake>(co_await asio::this_coro::executor, 1);
  std::function<void()> on_answer = [wake] { wake->try_send(asio::error_code{}, true); };
  Result<> opened = board_->open(id, question, context.now(), std::move(on_answer));
  if (!opened) co_return fail(std::move(opened).error());
  const Standing standing(board_, id);
  const TimePoint until = context.now() + std::chrono::milliseconds(question.timeout_ms);
  for (;;) {
    std::optional<Answered> answered = board_->answer_of(id);
    if (answered) co_return std::move(*answered);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - context.now());
    if (left.count() <= 0) break;
    const Result<> waited = co_await wait(*wake, context, std::min(left, kQuestionSlice));
    if (!waited) co_return fail(waited.error());
  }
  if (question.has_default) co_return Answered{question.default_answer, "", true};
  co_return fail(ErrorCode::timeout, "nobody has answered the question within " +
                                         format_duration(std::chrono::milliseconds(question.timeout_ms)));
}

Task<Result<Questions>> QuestionDesk::on(const QuestionList& wanted, Context& context) {
  co_return board_->list(wanted, context.now());
}

Task<Result<void>> QuestionDesk::on(const AnswerQuestion& answer, Context& context) {
  co_return board_->answer(answer, context.now());
}

namespace {

MakeFactory read_question_desk(config::ConfigReader& settings, KindNames& /*names*/) {
  constexpr std::uint64_t kMaxOpen = 1000;  // so that the list of all fits into a message
  const auto max_open = settings.integer("max_questions", people::BoardLimits{}.max_open, {1, kMaxOpen});
  if (settings.text("type") != messages::kQuestionsType) {
    settings.reject("type", "expected sys.questions, where agents and people look for the desk");
  }
  return [max_open](const KindServices& services) -> AgentFactory {
    services.questions->set_max_open(max_open);
    return [board = services.questions](const AgentId&) { return std::make_unique<QuestionDesk>(board); };
  };
}

}  // namespace

const Kind kQuestionDeskKind{"question_desk", "keeps the questions that agents ask people", &read_question_desk};

}  // namespace parley::kinds
