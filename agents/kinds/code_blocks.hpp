// The code in a message, as models write it: fenced blocks of Markdown with a language. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/sandbox/run_request.hpp"

namespace parley::kinds {

struct CodeBlock {
  /// First word behind the fence, in lower case; may be empty.
  std::string label;
  /// Unset: not a language that can be run.
  std::optional<sandbox::Language> language;
  std::string code;
  /// From a first line such as `# filename: tests/test_a.py`: where the code is to be kept, too. May be empty.
  std::string file_name;
  friend bool operator==(const CodeBlock&, const CodeBlock&) = default;
};

/// In their order. A block that is not closed ends with the text (CommonMark §4.5).
[[nodiscard]] std::vector<CodeBlock> find_code_blocks(std::string_view text);

}  // namespace parley::kinds
