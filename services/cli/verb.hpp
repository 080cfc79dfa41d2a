// One thing that `parley` does. Each verb is one file in verbs/: it declares its flags and runs. Adding a verb is that
// file and a line in verbs.cpp.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "services/cli/environment.hpp"
#include "services/cli/options.hpp"

namespace parley::cli {

/// Does the work once the flags are read; returns the exit code.
using Run = std::function<int(Environment&)>;

enum class Reach : std::uint8_t {
  local,  ///< never talks to a broker
  bus,    ///< gets `--broker`, `--timeout` and `--insecure`
};

struct Verb {
  /// `request`, or `dlq ls` for a verb within a group.
  std::string_view name;
  std::string_view summary;
  /// Shown by `--help`; one command a line.
  std::string_view example;
  Reach reach;
  Run (*declare)(Options& options);
};

/// Every verb, in the order of `--help`.
[[nodiscard]] std::span<const Verb> all_verbs();

/// What `--help` says about a group of verbs such as `dlq`.
[[nodiscard]] std::string_view group_summary(std::string_view group);

}  // namespace parley::cli
