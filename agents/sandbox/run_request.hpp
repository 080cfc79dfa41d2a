// What is run in a sandbox, and what came of it. Values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/sandbox/limits.hpp"

namespace parley::sandbox {

enum class Language : std::uint8_t { python, shell };

/// `python`, `shell`.
[[nodiscard]] constexpr std::string_view to_string(Language language) {
  return language == Language::python ? "python" : "shell";
}

/// A file of the work folder: a path relative to it, such as `data/in.csv`.
struct File {
  std::string name;
  std::string bytes;
  friend bool operator==(const File&, const File&) = default;
};

struct RunRequest {
  Language language = Language::python;
  std::string code;
  /// Put into the work folder before the code starts; one that is there is replaced.
  std::vector<File> files = {};
  /// Shorter than the sandbox's own, if at all.
  std::optional<std::chrono::milliseconds> wall_time = std::nullopt;
};

struct RunResult {
  /// Of the code; 128 + N when signal N ended it.
  int exit_code = 0;
  std::string out;
  std::string err;
  /// Something was written beyond what is kept.
  bool is_truncated = false;
  /// None: the code ended by itself.
  Limit limit = Limit::none;
  /// Made or changed by the code, in the order of their names.
  std::vector<File> files = {};
  /// Names of those that are too many, too large, or no plain files.
  std::vector<std::string> left_out = {};
  std::chrono::milliseconds took{};

  [[nodiscard]] bool is_success() const { return exit_code == 0 && limit == Limit::none; }
};

}  // namespace parley::sandbox
