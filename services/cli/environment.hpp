// What every verb gets: the console, the options that all verbs share, and where this program lies.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "services/cli/console.hpp"

namespace parley::cli {

/// Options that mean the same for every verb that has them.
struct CommonOptions {
  bool is_json = false;
  std::optional<std::chrono::milliseconds> timeout;
  /// `--broker`: one endpoint, or one per shard with commas between; unset: PARLEY_BROKER, then the default.
  std::optional<std::string> broker;
  bool is_insecure_allowed = false;
  std::string log_level = "error";
  std::string log_format = "text";
};

struct Environment {
  Console& console;
  CommonOptions common;
  /// The folder of this program; its siblings are looked for there.
  std::filesystem::path program_folder;
};

/// The endpoints to connect to: the option, the variable PARLEY_BROKER, or the default of parley-broker.
[[nodiscard]] std::vector<std::string> broker_endpoints(const CommonOptions& common);

/// True when the user named a broker, by option or by variable.
[[nodiscard]] bool is_broker_named(const CommonOptions& common);

}  // namespace parley::cli
