#include "agents/kinds/prompt_template.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/core/ascii.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::kinds {
namespace {

constexpr std::string_view kPlaceOpen = "{{";
constexpr std::string_view kPlaceClose = "}}";

std::string unknown_place(const std::string& name, std::span<const std::string> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  const std::vector<std::string> nearest = nearest_names(name, names, 1);
  std::string text = "there is nothing to fill in for '{{" + name + "}}'";
  if (!nearest.empty()) return text + " (did you mean '{{" + nearest.front() + "}}'?)";
  return text + "; a name of your own needs a line under `variables`, and two braces as they are stand as \\{{";
}

}  // namespace

Result<PromptTemplate> PromptTemplate::parse(std::string_view text, std::span<const std::string> known) {
  PromptTemplate parsed;
  while (!text.empty()) {
    const std::size_t open = text.find(kPlaceOpen);
    if (open == std::string_view::npos) {
      parsed.add_text(text);
      break;
    }
    if (open > 0 && text[open - 1] == '\\') {
      parsed.add_text(text.substr(0, open - 1));
      parsed.add_text(kPlaceOpen);
      text.remove_prefix(open + kPlaceOpen.size());
      continue;
    }
    parsed.add_text(text.substr(0, open));
    text.remove_prefix(open + kPlaceOpen.size());
    const std::size_t close = text.find(kPlaceClose);
    if (close == std::string_view::npos) {
      return fail(ErrorCode::invalid, "expected '}}' after '{{'; two braces as they are stand as \\{{");
    }
    std::string name(trimmed(text.substr(0, close)));
    if (std::ranges::find(known, name) == known.end()) return fail(ErrorCode::invalid, unknown_place(name, known));
    parsed.pieces_.push_back({std::move(name), true});
    text.remove_prefix(close + kPlaceClose.size());
  }
  return parsed;
}

void PromptTemplate::add_text(std::string_view text) {
  if (text.empty()) return;
  if (!pieces_.empty() && !pieces_.back().is_name) {
    pieces_.back().text += text;
  } else {
    pieces_.push_back({std::string(text), false});
  }
}

bool PromptTemplate::uses(std::string_view name) const {
  return std::ranges::any_of(pieces_, [name](const Piece& piece) { return piece.is_name && piece.text == name; });
}

std::string PromptTemplate::render(const PromptValues& values) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.is_name) {
      text += piece.text;
    } else if (const auto found = values.find(piece.text); found != values.end()) {
      text += found->second;
    }
  }
  return text;
}

}  // namespace parley::kinds
