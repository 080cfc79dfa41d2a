// What verbs say about their flags, without seeing the parser library: keeps CLI11 (seconds of compile time per file)
// in two files, and makes numbers and durations read the same everywhere. Targets must outlive the parsing.
// Main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace parley::cli {

struct CommonOptions;

class Options {
 public:
  explicit Options(CLI::App& app) : app_(&app) {}

  // Positional arguments, in the order of declaration.
  void argument(const std::string& name, std::string& value, const std::string& help);
  void argument(const std::string& name, std::optional<std::string>& value, const std::string& help);
  /// One of `choices`.
  void choice_argument(const std::string& name, std::string& value, const std::vector<std::string>& choices,
                       const std::string& help);

  // `names` as in "-f,--file".
  void flag(const std::string& names, bool& value, const std::string& help);
  void option(const std::string& names, std::string& value, const std::string& metavariable, const std::string& help);
  /// One of `choices`.
  void choice(const std::string& names, std::string& value, const std::vector<std::string>& choices,
              const std::string& help);
  void option(const std::string& names, std::optional<std::string>& value, const std::string& metavariable,
              const std::string& help);
  /// May be given several times.
  void option(const std::string& names, std::vector<std::string>& values, const std::string& metavariable,
              const std::string& help);
  /// A whole number from `min` to `max`.
  void number(const std::string& names, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
              const std::string& help);
  void number(const std::string& names, std::optional<std::uint64_t>& value, std::uint64_t min, std::uint64_t max,
              const std::string& help);
  /// `250ms`, `5s`, `2m`; longer than zero.
  void duration(const std::string& names, std::chrono::milliseconds& value, const std::string& help);
  void duration(const std::string& names, std::optional<std::chrono::milliseconds>& value, const std::string& help);

  /// `--json`, `--log-level`, `--log-format`.
  void add_common(CommonOptions& common);
  /// Set when the option is there; its value may be left out (empty then).
  void option_with_default(const std::string& names, std::optional<std::string>& value, const std::string& metavariable,
                           const std::string& help);
  /// `--broker`, `--timeout`, `--insecure`.
  void add_bus(CommonOptions& common);

 private:
  CLI::App* app_;
};

}  // namespace parley::cli
