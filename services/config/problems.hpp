// Everything that is wrong with a configuration, so that a person can mend it in one go instead of one start at a time.
// Pure values; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::config {

/// Programs end with it when their configuration or command line is wrong.
inline constexpr int kBadConfigurationExit = 2;

struct ConfigProblem {
  std::string file;
  int line = 0;          ///< 1-based; 0 when the problem has no line (the file cannot be read)
  std::string key;       ///< path to the key, for example `agents[1].kind`; empty for the file as a whole
  std::string value;     ///< as written, shortened; empty when there is none
  std::string expected;  ///< what would be right, as a sentence's end: `expected a whole number from 1 to 100`

  /// `parley.yaml:12: agents[1].kind: 'assistnt': expected … (did you mean 'assistant'?)`
  [[nodiscard]] std::string str() const;
  friend bool operator==(const ConfigProblem&, const ConfigProblem&) = default;
};

/// Problems in the order in which they were found; only the first 100 are kept, the others are counted.
class ConfigProblems {
 public:
  void add(ConfigProblem problem);
  void append(const ConfigProblems& more);

  [[nodiscard]] bool is_empty() const { return items_.empty(); }
  [[nodiscard]] const std::vector<ConfigProblem>& items() const { return items_; }
  [[nodiscard]] std::size_t count() const { return items_.size() + left_out_; }
  /// One problem a line, without a newline at the end.
  [[nodiscard]] std::string str() const;
  /// As one error with code `bad_configuration`.
  [[nodiscard]] Error error() const { return {ErrorCode::bad_configuration, str()}; }

 private:
  std::vector<ConfigProblem> items_;
  std::size_t left_out_ = 0;
};

/// A loaded configuration, or all that is wrong with it.
template <class T>
using Loaded = std::expected<T, ConfigProblems>;

}  // namespace parley::config
