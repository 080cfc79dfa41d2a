// kind: semantic_router. Decides which agent type a user's message is for. Text → Routed; an intent that it cannot tell
// is answered with a question, never with a guess. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/kinds/phrase_classifier.hpp"
#include "agents/llm/chat_model.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

struct Route {
  std::string name;
  std::string agent_type;
  /// What it can do, for people and for a model: `questions about contracts and holidays`.
  std::string description;
};

/// The question that helps a user whose intent is unknown.
[[nodiscard]] std::string ask_for_intent(const std::vector<Route>& routes);

/// The instructions that make a model answer with the name of one route.
[[nodiscard]] std::string routing_prompt(const std::vector<Route>& routes);

/// Which route a model's answer names: exactly one name, perhaps with quotes, a full stop or other case around it.
/// Anything else (prose, two names, an unknown name) is nullopt.
[[nodiscard]] std::optional<std::size_t> route_named_by(std::string_view answer, const std::vector<Route>& routes);

class SemanticRouter final : public TypedAgent<SemanticRouter, messages::Text> {
 public:
  /// By phrases. The classifier is shared by the activations of the type, and never changes.
  SemanticRouter(std::vector<Route> routes, std::shared_ptr<const PhraseClassifier> classifier);
  /// By a model.
  SemanticRouter(std::vector<Route> routes, std::shared_ptr<llm::ChatModel> model);

  /// Errors are those of the model; phrases never fail.
  Task<Result<messages::Routed>> on(const messages::Text& message, Context& context);

 private:
  [[nodiscard]] messages::Routed routed(std::optional<std::size_t> route) const;

  std::vector<Route> routes_;
  std::shared_ptr<const PhraseClassifier> classifier_;  ///< null when a model decides
  std::shared_ptr<llm::ChatModel> model_;               ///< null when phrases decide
};

}  // namespace parley::kinds
