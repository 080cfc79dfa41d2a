#include "services/cli/app.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/nearest.hpp"
#include "monitoring/log.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/verb.hpp"

namespace parley::cli {
namespace {

/// The parser with every verb declared, and what the chosen verb will run.
class Parser {
 public:
  explicit Parser(CommonOptions& common) : app_("Talk to a Parley message bus, run it and look into it.", "parley") {
    app_.require_subcommand(1);
    app_.set_version_flag("-V,--version", std::string("parley ") + PARLEY_VERSION, "Print the version");
    app_.get_formatter()->column_width(28);
    app_.footer("Every verb has --help with an example. Start with: parley demo");
    Options everywhere(app_);
    everywhere.add_common(common);
    everywhere.add_bus(common);
    for (const Verb& verb : all_verbs()) declare(verb, common);
  }

  [[nodiscard]] CLI::App& app() { return app_; }

  /// The verb that the arguments named, after parsing.
  [[nodiscard]] const Run* chosen() const {
    for (const auto& [verb_app, run] : runs_) {
      if (verb_app->parsed()) return &run;
    }
    return nullptr;
  }

 private:
  void declare(const Verb& verb, CommonOptions& common) {
    CLI::App* parent = &app_;
    std::string name(verb.name);
    if (const auto space = name.find(' '); space != std::string::npos) {
      parent = group(name.substr(0, space));
      name.erase(0, space + 1);
    }
    CLI::App* app = parent->add_subcommand(name, std::string(verb.summary));
    app->footer("Example:\n" + std::string(verb.example));
    Options options(*app);
    runs_.emplace_back(app, verb.declare(options));
    options.add_common(common);
    if (verb.reach == Reach::bus) options.add_bus(common);
  }

  CLI::App* group(const std::string& name) {
    if (const auto known = groups_.find(name); known != groups_.end()) return known->second;
    CLI::App* made = app_.add_subcommand(name, std::string(group_summary(name)));
    made->require_subcommand(1);
    groups_.emplace(name, made);
    return made;
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> groups_;
  std::vector<std::pair<CLI::App*, Run>> runs_;
};

/// The deepest command that `arguments` name, and its full name.
struct Named {
  CLI::App* app;
  std::string name;
  /// The first word that should have been a verb and is none.
  std::optional<std::string> unknown;
};

std::vector<CLI::App*> children_of(CLI::App& app) { return app.get_subcommands(std::function<bool(CLI::App*)>{}); }

CLI::App* child_of(CLI::App& app, const std::string& name) {
  for (CLI::App* child : children_of(app)) {
    if (child->get_name() == name) return child;
  }
  return nullptr;
}

Named named_command(CLI::App& root, const std::vector<std::string>& arguments) {
  Named named{&root, "parley", std::nullopt};
  for (const std::string& word : arguments) {
    if (children_of(*named.app).empty()) break;
    if (word.starts_with('-')) continue;
    CLI::App* child = child_of(*named.app, word);
    if (child == nullptr) {
      named.unknown = word;
      break;
    }
    named.app = child;
    named.name += " " + word;
  }
  return named;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto nearest = nearest_names(word, known, 1);
  return nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest.front());
}

std::vector<std::string> child_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : children_of(app)) names.push_back(child->get_name());
  return names;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The message of CLI11 as one line that says what to try.
std::string usage_problem(const CLI::ParseError& failure, const Named& named,
                          const std::vector<std::string>& arguments) {
  if (named.unknown) {
    return fmt::format("'{}' has no command '{}' (see '{} --help'{})", named.name, *named.unknown, named.name,
                       did_you_mean(*named.unknown, child_names(*named.app)));
  }
  if (failure.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    const auto known = flag_names(*named.app);
    for (const std::string& word : arguments) {
      const std::string flag = word.substr(0, word.find('='));
      if (!flag.starts_with("--") || std::find(known.begin(), known.end(), flag) != known.end()) continue;
      return fmt::format("'{}' has no option '{}' (see '{} --help'{})", named.name, flag, named.name,
                         did_you_mean(flag, known));
    }
  }
  std::string text = failure.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("{} (see '{} --help')", text, named.name);
}

CommandTree tree_of(CLI::App& app) {
  CommandTree tree;
  tree.name = app.get_name();
  tree.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    CommandTree::Flag flag;
    for (const auto& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) flag.names.push_back("--" + name);
    flag.help = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    tree.flags.push_back(std::move(flag));
  }
  for (CLI::App* child : children_of(app)) tree.children.push_back(tree_of(*child));
  return tree;
}

}  // namespace

int run(const std::vector<std::string>& arguments, Console& console, const std::filesystem::path& program_folder) {
  Environment environment{console, {}, program_folder};
  Parser parser(environment.common);
  try {
    // CLI11 takes the arguments last one first.
    parser.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    std::string help = named_command(parser.app(), arguments).app->help();
    while (help.ends_with('\n')) help.pop_back();
    console.print(help);
    return kDone;
  } catch (const CLI::Success& version) {
    console.print(version.what());
    return kDone;
  } catch (const CLI::ParseError& failure) {
    if (arguments.empty()) {
      console.note(parser.app().help());
      return kBadUsage;
    }
    return console.refuse_usage(usage_problem(failure, named_command(parser.app(), arguments), arguments));
  }
  const auto log = monitoring::set_up_log({environment.common.log_level, environment.common.log_format});
  if (!log) return console.fail(log.error());
  return (*parser.chosen())(environment);
}

CommandTree command_tree() {
  CommonOptions unused;
  Parser parser(unused);
  return tree_of(parser.app());
}

}  // namespace parley::cli
