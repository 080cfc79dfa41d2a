#include "services/cli/command_tree.hpp"

#include <spdlog/fmt/fmt.h>
#include <utility>

namespace parley::cli {
namespace {

/// Every command with its path below the root: "", "request", "dlq", "dlq ls".
std::vector<std::pair<std::string, const CommandTree*>> all_commands(const CommandTree& root) {
  std::vector<std::pair<std::string, const CommandTree*>> commands{{"", &root}};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto [path, command] = commands[i];
    for (const CommandTree& child : command->children) {
      commands.emplace_back(path.empty() ? child.name : path + " " + child.name, &child);
    }
  }
  return commands;
}

std::string words_of(const CommandTree& command) {
  std::string words;
  for (const auto& child : command.children) words += child.name + " ";
  for (const auto& flag : command.flags) {
    for (const auto& name : flag.names) words += name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

/// Safe within single quotes of both shells.
std::string quoted(const std::string& text) {
  std::string safe = "'";
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else if (c == '\n') {
      safe += ' ';
    } else {
      safe += c;
    }
  }
  return safe + "'";
}

/// `_describe` takes `name:help`; a colon in the name would end it.
std::string described(const std::string& name, const std::string& help) {
  std::string safe;
  for (const char c : name) {
    if (c == ':') safe += '\\';
    safe += c;
  }
  return quoted(safe + ":" + help);
}

}  // namespace

std::string bash_completion(const CommandTree& root) {
  std::string cases;
  for (const auto& [path, command] : all_commands(root)) {
    cases += fmt::format("    {}) words={} ;;\n", quoted(path), quoted(words_of(*command)));
  }
  return fmt::format(R"sh(# bash completion for {0}; use: source <({0} completion bash)
_{0}_words() {{
  local words=''
  case "$1" in
{1}  esac
  printf '%s' "$words"
}}
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    [[ $word == -* ]] && continue
    [[ -n $(_{0}_words "${{path:+$path }}$word") ]] && path="${{path:+$path }}$word"
  done
  mapfile -t COMPREPLY < <(compgen -W "$(_{0}_words "$path")" -- "$current")
}}
complete -o default -F _{0} {0}
)sh",
                     root.name, cases);
}

std::string zsh_completion(const CommandTree& root) {
  std::string cases;
  for (const auto& [path, command] : all_commands(root)) {
    std::string entries;
    for (const auto& child : command->children) entries += " " + described(child.name, child.summary);
    for (const auto& flag : command->flags) {
      for (const auto& name : flag.names) entries += " " + described(name, flag.help);
    }
    cases += fmt::format("    {}) entries=({}) ;;\n", quoted(path), entries.empty() ? "" : entries.substr(1));
  }
  return fmt::format(R"sh(#compdef {0}
# zsh completion for {0}; use: source <({0} completion zsh)
_{0}_entries() {{
  entries=()
  case "$1" in
{1}  esac
}}
_{0}() {{
  local -a entries
  local route='' word
  for word in ${{words[2,CURRENT-1]}}; do
    [[ $word == -* ]] && continue
    _{0}_entries "${{route:+$route }}$word"
    (( $#entries )) && route="${{route:+$route }}$word"
  done
  _{0}_entries "$route"
  _describe '{0}' entries || _files
}}
compdef _{0} {0}
)sh",
                     root.name, cases);
}

}  // namespace parley::cli
