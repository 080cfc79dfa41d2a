// The kinds themselves, for the registry. Each is defined in the file of its name.
#pragma once

#include "agents/kinds/kind.hpp"

namespace parley::kinds {

extern const Kind kAssistantKind;
extern const Kind kCodeExecutorKind;
extern const Kind kCriticKind;
extern const Kind kGroupChatKind;
extern const Kind kHierarchicalKind;
extern const Kind kKnowledgeBaseKind;
extern const Kind kPipelineKind;
extern const Kind kPlannerKind;
extern const Kind kQuestionDeskKind;
extern const Kind kReflectionKind;
extern const Kind kSemanticRouterKind;
extern const Kind kToolHostKind;
extern const Kind kTwoAgentChatKind;
extern const Kind kUserProxyKind;

}  // namespace parley::kinds
