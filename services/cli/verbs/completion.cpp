// parley completion bash|zsh: a script that completes verbs and flags.
#include <memory>

#include "services/cli/app.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace completion_verb {

Run declare(Options& options) {
  auto shell = std::make_shared<std::string>();
  options.choice_argument("SHELL", *shell, {"bash", "zsh"}, "bash or zsh");
  return [shell](Environment& environment) {
    const CommandTree tree = command_tree();
    environment.console.write(*shell == "bash" ? bash_completion(tree) : zsh_completion(tree));
    return kDone;
  };
}

}  // namespace completion_verb
}  // namespace

const Verb kCompletionVerb{"completion", "Print a completion script for a shell", "  source <(parley completion bash)",
                           Reach::local, &completion_verb::declare};

}  // namespace parley::cli
