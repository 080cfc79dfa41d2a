#include "agents/tools/schema_pattern.hpp"

#include <algorithm>
#include <utility>

namespace parley::tools {

namespace {

constexpr std::size_t kHexDigits = 4;

bool is_hex_code(std::string_view text) {
  return text.size() == kHexDigits && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// `\u00e9` and `(?<name>` in RE2's spelling.
std::string respelled(std::string_view expression) {
  std::string out;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const std::string_view rest = expression.substr(i);
    if (rest.starts_with("\\u") && is_hex_code(rest.substr(2, kHexDigits))) {
      out += "\\x{" + std::string(rest.substr(2, kHexDigits)) + "}";
      i += 1 + kHexDigits;
    } else if (rest.front() == '\\' && rest.size() > 1) {
      out += rest.substr(0, 2);
      ++i;
    } else if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
      out += "(?P<";
      i += 2;
    } else {
      out += rest.front();
    }
  }
  return out;
}

/// Walks over an expression: where parentheses close, and where a `|` stands outside of all of them.
struct Outline {
  std::size_t closing = std::string_view::npos;  ///< of the parenthesis that the text begins with
  bool has_choice = false;
};

Outline outline_of(std::string_view text) {
  Outline outline;
  int depth = 0;
  bool is_in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (is_in_class) {
      is_in_class = c != ']';
    } else if (c == '[') {
      is_in_class = true;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0 && outline.closing == std::string_view::npos) {
      outline.closing = i;
    } else if (c == '|' && depth == 0) {
      outline.has_choice = true;
    }
  }
  return outline;
}

bool is_look_ahead(std::string_view text) { return text.starts_with("(?=") || text.starts_with("(?!"); }

bool is_repeated(std::string_view rest) {
  return !rest.empty() && std::string_view("*+?{").find(rest.front()) != std::string_view::npos;
}

}  // namespace

Result<SchemaPattern> SchemaPattern::make(std::string_view expression) {
  const std::string text = respelled(expression);
  std::string_view rest = text;
  struct Found {
    std::string_view inner;
    bool is_wanted;
  };
  std::vector<Found> found;
  // Behind a `|` neither the anchor nor the condition would hold.
  const bool is_anchored = rest.starts_with('^') && !outline_of(rest).has_choice;
  if (is_anchored) rest.remove_prefix(1);
  while (is_anchored && is_look_ahead(rest)) {
    const std::size_t end = outline_of(rest).closing;
    if (end == std::string_view::npos || is_repeated(rest.substr(end + 1))) break;
    found.push_back({rest.substr(3, end - 3), rest[2] == '='});
    rest.remove_prefix(end + 1);
  }
  Result<Pattern> main = Pattern::make((is_anchored ? "^" : "") + std::string(rest));
  if (!main) return fail(std::move(main).error());
  SchemaPattern pattern(std::move(*main));
  for (const Found& each : found) {
    Result<Pattern> condition = Pattern::make("^(?:" + std::string(each.inner) + ")");
    if (!condition) return fail(std::move(condition).error());
    pattern.conditions_.push_back({std::move(*condition), each.is_wanted});
  }
  return pattern;
}

bool SchemaPattern::is_match(std::string_view text) const {
  return main_.is_found_in(text) && std::ranges::all_of(conditions_, [text](const Condition& each) {
           return each.pattern.is_found_in(text) == each.is_wanted;
         });
}

}  // namespace parley::tools
