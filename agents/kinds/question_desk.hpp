// kind: question_desk. Where questions to people wait, under the agent type `sys.questions`: each at a key of its own,
// whose request (Ask) ends with the answer; `default` lists them and takes the answers. The activations of a process
// share one board, so one worker should host the desk. A question lives as long as its request: when the desk is lost,
// whoever asked gets `worker_lost` and asks again under the same id. Loop thread only.
#pragma once

#include <memory>

#include "agents/people/question_board.hpp"
#include "libmsg/messages/questions.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

class QuestionDesk final
    : public TypedAgent<QuestionDesk, messages::Ask, messages::QuestionList, messages::AnswerQuestion> {
 public:
  explicit QuestionDesk(std::shared_ptr<people::QuestionBoard> board) : board_(std::move(board)) {}

  Task<Result<messages::Answered>> on(const messages::Ask& question, Context& context);
  Task<Result<messages::Questions>> on(const messages::QuestionList& wanted, Context& context);
  Task<Result<void>> on(const messages::AnswerQuestion& answer, Context& context);

 private:
  /// Shared by the desk's activations and whoever counts what waits.
  std::shared_ptr<people::QuestionBoard> board_;
};

}  // namespace parley::kinds
