// Every verb's declaration, one per file of this folder; collected in verbs.cpp.
#pragma once

#include "services/cli/verb.hpp"

namespace parley::cli {

extern const Verb kAgentEvictVerb;
extern const Verb kAgentQuarantineVerb;
extern const Verb kAgentReleaseVerb;
extern const Verb kAgentWhereVerb;
extern const Verb kAskAnswerVerb;
extern const Verb kBudgetLsVerb;
extern const Verb kBudgetSetVerb;
extern const Verb kBudgetResetVerb;
extern const Verb kAskLsVerb;
extern const Verb kBenchVerb;
extern const Verb kChatVerb;
extern const Verb kCheckVerb;
extern const Verb kCompletionVerb;
extern const Verb kConfigValidateVerb;
extern const Verb kDemoVerb;
extern const Verb kDlqLsVerb;
extern const Verb kDlqShowVerb;
extern const Verb kDownVerb;
extern const Verb kPsVerb;
extern const Verb kPublishVerb;
extern const Verb kRequestVerb;
extern const Verb kRunVerb;
extern const Verb kSendVerb;
extern const Verb kSubscribeVerb;
extern const Verb kTopVerb;
extern const Verb kTraceVerb;
extern const Verb kEventsVerb;
extern const Verb kUpVerb;
extern const Verb kVersionVerb;
extern const Verb kWorkerDrainVerb;
extern const Verb kWorkerRestartVerb;

}  // namespace parley::cli
