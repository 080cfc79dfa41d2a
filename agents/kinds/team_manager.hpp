// The manager of a team: an agent that is given a task, lets the members of its team talk until it is done, and answers
// with what came of it. What it does next is decided by teams::Team; here are the calls. Text or TurnRequest → Answer,
// with TextPart and TeamEvent of all members on the way. Loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/kinds/stop_signal.hpp"
#include "agents/kinds/team_setup.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/teams/conversation_observer.hpp"
#include "agents/teams/team.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

class TeamManager final : public TypedAgent<TeamManager, messages::Text, messages::TurnRequest, messages::Stop> {
 public:
  /// `setup`, `model` (null unless the setup's adviser is one) and `observer` are shared with the other conversations
  /// of the type. An id whose key ends with `!stop` is no conversation but passes on the wish to stop one.
  TeamManager(std::shared_ptr<const TeamSetup> setup, std::shared_ptr<llm::ChatModel> model,
              std::shared_ptr<teams::ConversationObserver> observer, AgentId id);

  /// A task. Fails only if the team failed before anybody had said anything; later failures end in an answer with the
  /// partial result and the reason `aborted:…`.
  Task<Result<messages::Answer>> on(const messages::Text& task, Context& context);
  /// A turn in another team's conversation.
  Task<Result<messages::Answer>> on(const messages::TurnRequest& turn, Context& context);
  /// Runs beside a task: its type stands in the `interleaved` of the agent type's options.
  Task<Result<void>> on(const messages::Stop& stop, Context& context);

  [[nodiscard]] Result<std::string> save_state() const override;
  Result<> load_state(std::string_view state) override;

 private:
  /// What the manager remembers of a member for as long as the thread lives.
  struct MemberState {
    /// It does not know TurnRequest: it gets the news as a Text, and remembers the rest itself.
    bool wants_text = false;
    std::uint64_t told = 0;  ///< number of the first message that it has not got
  };

  /// What a model or an agent says to a strategy's question.
  struct Advice {
    Result<std::string> text = fail(ErrorCode::invalid, "this team has nobody to ask");
    messages::Usage usage;
  };

  /// What judges have said.
  struct Verdicts {
    std::map<std::string, std::string> done;  ///< why it is over, by agent
    messages::Usage usage;
  };

  Task<Result<messages::Answer>> pass_on_stop(std::string reason, Context& context);
  Task<Result<messages::Answer>> run(teams::TeamTask task, Context& context);
  Task<Result<messages::Answer>> converse(teams::TeamTask task, Context& context);
  Task<Result<messages::Answer>> finish(teams::Team::End end, Context& context);

  // One kind of action each.
  Task<Result<>> speak(teams::Speak speak, Context& context);
  Task<> take_turns(const std::vector<teams::Turn>& turns, std::vector<teams::TurnResult>& results, Context& context);
  Task<> tell_cut(const teams::TurnResult& cut, Context& context);
  Task<> take_turn(const teams::Turn& turn, Context& context, teams::TurnResult& result);
  Task<Result<>> consult(teams::Consult consult, Context& context);
  Task<Result<>> judge(teams::Team::Judge judge, Context& context);

  Task<> take_advice(const teams::Consult& consult, Advice& advice, Context& context);
  Task<> take_verdicts(const std::vector<std::string>& agents, Verdicts& verdicts, Context& context);
  Task<Advice> ask_model(const teams::Consult& consult, Context& context);
  Task<Advice> ask_adviser(const teams::Consult& consult, Context& context);
  Task<Result<messages::Answer>> ask_text(std::string agent, std::string question, Context& context);

  Task<Result<messages::Answer>> ask_member(const teams::Turn& turn, const std::string& target, Context& context);
  Task<Result<messages::Answer>> listen(Target target, Payload message, CallOptions options, std::string name,
                                        Context& context);
  Task<Result<>> pass_on(Payload part, std::string_view name, std::string_view type, Context& context);
  Task<Result<>> tell(messages::TeamEvent event, Context& context);

  [[nodiscard]] Payload turn_message(const teams::Turn& turn) const;
  [[nodiscard]] Payload news_message(const teams::Turn& turn) const;
  [[nodiscard]] Result<Target> target_of(std::string_view text) const;
  [[nodiscard]] CallOptions call_options(std::chrono::milliseconds timeout, const Context& context) const;
  [[nodiscard]] std::string conversation() const;
  [[nodiscard]] messages::Usage usage_with(const messages::Usage& more) const;

  std::shared_ptr<const TeamSetup> setup_;
  std::shared_ptr<llm::ChatModel> model_;
  std::shared_ptr<teams::ConversationObserver> observer_;
  AgentId id_;
  SystemClock clock_;  ///< stamps messages, for people; everything else is in the context's time
  teams::Team team_;
  std::vector<MemberState> members_;
  std::uint64_t generation_ = 1;  ///< of the thread that members_ is about
  std::vector<std::string> tools_used_;
  TimePoint last_step_{};
  bool is_running_ = false;  ///< a task is under way
  StopSignal stop_;
};

/// `from: text` for each message, for agents that are told of a conversation by Text.
[[nodiscard]] std::string rendered(const std::vector<messages::ThreadMessage>& thread);
/// What a member or an adviser has said, as Answer or Text; fails with `invalid` for anything else.
[[nodiscard]] Result<messages::Answer> read_member_answer(const Payload& reply, std::string_view name);
/// The key of the members of a conversation: the manager's type and key, shortened if that is too long.
[[nodiscard]] std::string conversation_key(const AgentId& manager, std::uint64_t generation);

}  // namespace parley::kinds
