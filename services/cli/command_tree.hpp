// The verbs and flags of a program as plain data, and shell completion made from them. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace parley::cli {

struct CommandTree {
  std::string name;
  std::string summary;
  struct Flag {
    std::vector<std::string> names;  ///< with dashes
    std::string help;
    bool takes_value = false;
  };
  std::vector<Flag> flags;
  std::vector<CommandTree> children;
};

/// A script for `source <(parley completion bash)`.
[[nodiscard]] std::string bash_completion(const CommandTree& root);
/// A script for `source <(parley completion zsh)`.
[[nodiscard]] std::string zsh_completion(const CommandTree& root);

}  // namespace parley::cli
