// Uses the tools that one answer of a model asks for: several at a time, each with its result, in the order of the
// calls. Whoever watches hears of all calls first, then of the results in the same order, each as soon as it and those
// before it are there. Loop thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "agents/kinds/turn_voice.hpp"
#include "agents/tools/tool_box.hpp"
#include "libmsg/messages/tools.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::kinds {

class ToolRound {
 public:
  /// Calls beyond this number in one answer are not made; their results say so.
  static constexpr std::size_t kMaxCalls = 64;

  /// All must outlive the round.
  ToolRound(const tools::ToolBox& tools, Context& context, TurnVoice& voice)
      : tools_(tools), context_(context), voice_(voice) {}

  /// At most `parallel` at a time. Fails when the turn is cancelled; whatever a tool does otherwise is its result.
  Task<Result<std::vector<messages::ToolResult>>> run(const std::vector<messages::ToolCall>& calls,
                                                      std::size_t parallel, messages::Usage usage_so_far);
  /// Makes none of them; `why` is the result of each.
  Task<Result<std::vector<messages::ToolResult>>> refuse(const std::vector<messages::ToolCall>& calls, std::string why,
                                                         messages::Usage usage_so_far);

 private:
  Task<Result<>> begin(const std::vector<messages::ToolCall>& calls, messages::Usage usage_so_far);
  std::vector<messages::ToolResult> take_results();
  Task<> work_together(std::size_t workers);
  Task<> work();
  Task<Result<messages::ToolResult>> use(std::size_t index);
  Task<Result<>> tell_finished();

  const tools::ToolBox& tools_;
  Context& context_;
  TurnVoice& voice_;

  const std::vector<messages::ToolCall>* calls_ = nullptr;
  messages::Usage usage_;
  std::vector<std::optional<messages::ToolResult>> results_;
  std::size_t next_ = 0;
  std::size_t told_ = 0;
  bool is_telling_ = false;
  std::optional<Error> failure_;
};

}  // namespace parley::kinds
