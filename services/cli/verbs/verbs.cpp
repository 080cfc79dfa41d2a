#include "services/cli/verbs/verbs.hpp"

#include <array>

namespace parley::cli {

std::span<const Verb> all_verbs() {
  // A copy, made on first use: the verbs live in other files, whose order of initialisation is not known.
  static const std::array verbs{kDemoVerb,
                                kRunVerb,
                                kUpVerb,
                                kDownVerb,
                                kChatVerb,
                                kRequestVerb,
                                kSendVerb,
                                kPublishVerb,
                                kSubscribeVerb,
                                kPsVerb,
                                kEventsVerb,
                                kTopVerb,
                                kTraceVerb,
                                kDlqLsVerb,
                                kDlqShowVerb,
                                kAskLsVerb,
                                kAskAnswerVerb,
                                kBudgetLsVerb,
                                kBudgetSetVerb,
                                kBudgetResetVerb,
                                kAgentWhereVerb,
                                kAgentEvictVerb,
                                kAgentQuarantineVerb,
                                kAgentReleaseVerb,
                                kWorkerDrainVerb,
                                kWorkerRestartVerb,
                                kBenchVerb,
                                kCheckVerb,
                                kConfigValidateVerb,
                                kCompletionVerb,
                                kVersionVerb};
  return verbs;
}

std::string_view group_summary(std::string_view group) {
  if (group == "agent") return "Find, evict, quarantine and release agents";
  if (group == "ask") return "List and answer the questions that agents ask people";
  if (group == "budget") return "See and change what may be spent";
  if (group == "worker") return "Drain and restart worker processes";
  if (group == "dlq") return "Look into dead letters: messages that could not be delivered or handled";
  if (group == "config") return "Work with configuration files";
  return "";
}

}  // namespace parley::cli
