// kind: code_executor. Runs the code blocks of a message in the sandbox and answers with what came of them, for whoever
// wrote the code. Text → Answer; as a member of a conversation TurnRequest → Answer. Parts: TextPart for each block's
// result, TeamEvent (`tool_call`, `tool_result`, `question`). One work folder for each conversation (agent key), which
// goes with the activation. Loop thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agents/kinds/code_blocks.hpp"
#include "agents/sandbox/sandbox.hpp"
#include "agents/tools/tool_record.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

struct CodeExecutorOptions {
  enum class Approval : std::uint8_t {
    never,     ///< the sandbox is wall enough
    always,    ///< a person is asked before anything runs
    matching,  ///< when the code contains one of `approval_texts`
  };

  /// Members whose messages it looks at; empty: all but itself.
  std::vector<std::string> sources;
  std::size_t max_blocks = 8;
  /// After a block that fails, run the following ones all the same.
  bool goes_on_after_failure = false;
  Approval approval = Approval::never;
  std::vector<std::string> approval_texts;
  std::chrono::milliseconds approval_timeout{std::chrono::minutes(10)};
};

class CodeExecutor final : public TypedAgent<CodeExecutor, messages::Text, messages::TurnRequest> {
 public:
  /// The sandbox is shared by the activations of the agent type, the observer by all agents; it is told of each block
  /// like of a tool's call. Null: nobody is told.
  CodeExecutor(CodeExecutorOptions options, std::shared_ptr<sandbox::Sandbox> sandbox,
               std::shared_ptr<tools::ToolObserver> observer);

  Task<Result<messages::Answer>> on(const messages::Text& message, Context& context);
  Task<Result<messages::Answer>> on(const messages::TurnRequest& turn, Context& context);
  Task<> on_deactivate() override;

 private:
  /// What of the blocks is told to the writer.
  struct Report;
  /// How a block has ended, for the audit.
  struct Ending;

  Task<Result<messages::Answer>> answer(std::vector<CodeBlock> blocks, std::string name, Context& context);
  Task<Result<>> run_all(const std::vector<CodeBlock>& blocks, Report& report, Context& context);
  Task<Result<bool>> is_allowed(const std::vector<CodeBlock>& blocks, Report& report, Context& context);
  Task<Result<>> run_block(const CodeBlock& block, std::size_t number, Report& report, Context& context);
  [[nodiscard]] bool needs_approval(const std::vector<CodeBlock>& blocks) const;
  void note_refusal(const std::vector<CodeBlock>& blocks, const std::string& why, const Report& report,
                    const Context& context) const;
  void note(const CodeBlock& block, const Ending& ending, const Report& report, const Context& context) const;

  CodeExecutorOptions options_;
  std::shared_ptr<sandbox::Sandbox> sandbox_;
  std::shared_ptr<tools::ToolObserver> observer_;
  std::shared_ptr<sandbox::WorkFolder> folder_;
};

}  // namespace parley::kinds
