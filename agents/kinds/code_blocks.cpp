#include "agents/kinds/code_blocks.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "libmsg/core/ascii.hpp"

namespace parley::kinds {
namespace {

using sandbox::Language;

constexpr std::size_t kMinFence = 3;
constexpr std::size_t kMaxIndent = 3;

struct Fence {
  char mark = '`';
  std::size_t length = 0;
  std::size_t indent = 0;
  std::string_view info;
};

std::optional<Fence> read_fence(std::string_view line) {
  Fence fence;
  fence.indent = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(fence.indent);
  if (fence.indent > kMaxIndent || line.empty() || (line.front() != '`' && line.front() != '~')) return std::nullopt;
  fence.mark = line.front();
  fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
  fence.info = trimmed(line.substr(fence.length));
  const bool is_inline = fence.mark == '`' && fence.info.find('`') != std::string_view::npos;
  if (fence.length < kMinFence || is_inline) return std::nullopt;
  return fence;
}

bool closes(const Fence& fence, const Fence& open) {
  return fence.mark == open.mark && fence.length >= open.length && fence.info.empty();
}

std::string label_of(std::string_view info) { return ascii_lower(info.substr(0, info.find_first_of(" \t{,"))); }

std::optional<Language> language_of(std::string_view label) {
  constexpr std::array<std::string_view, 3> kPython{"python", "py", "python3"};
  constexpr std::array<std::string_view, 4> kShell{"sh", "bash", "shell", "zsh"};
  if (std::ranges::find(kPython, label) != kPython.end()) return Language::python;
  if (std::ranges::find(kShell, label) != kShell.end()) return Language::shell;
  return std::nullopt;
}

/// `# filename: a.py`, `// filename: a.c`, `<!-- filename: a.html -->` as the first line.
std::string file_name_of(std::string_view code) {
  constexpr std::string_view kKey = "filename:";
  std::string_view line = code.substr(0, code.find('\n'));
  const std::size_t at = line.find(kKey);
  const bool is_comment = line.starts_with("#") || line.starts_with("//") || line.starts_with("<!--");
  if (at == std::string_view::npos || !is_comment) return {};
  line = trimmed(line.substr(at + kKey.size()));
  if (line.ends_with("-->")) line = trimmed(line.substr(0, line.size() - std::string_view("-->").size()));
  return std::string(line);
}

/// What the fence was indented by, its lines may be, too.
std::string_view without_indent(std::string_view line, std::size_t indent) {
  line.remove_prefix(std::min({line.find_first_not_of(' '), indent, line.size()}));
  return line;
}

CodeBlock make_block(const Fence& open, std::string code) {
  CodeBlock block;
  block.label = label_of(open.info);
  block.language = language_of(block.label);
  block.file_name = file_name_of(code);
  block.code = std::move(code);
  return block;
}

}  // namespace

std::vector<CodeBlock> find_code_blocks(std::string_view text) {
  std::vector<CodeBlock> blocks;
  std::optional<Fence> open;
  std::string code;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::optional<Fence> fence = read_fence(line);
    if (!open) {
      open = fence;
    } else if (fence && closes(*fence, *open)) {
      blocks.push_back(make_block(*open, std::exchange(code, {})));
      open.reset();
    } else {
      code.append(without_indent(line, open->indent)).append("\n");
    }
  }
  if (open) blocks.push_back(make_block(*open, std::move(code)));
  return blocks;
}

}  // namespace parley::kinds
