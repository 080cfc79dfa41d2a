// A system prompt with places to fill in: `You are {{agent}}. Today is {{date}}.` Parsed once, when the configuration
// is read, so that a wrong name is found there; rendered for each turn. What is filled in is data: braces in it mean
// nothing. `\{{` stands for two braces as they are. Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::kinds {

using PromptValues = std::map<std::string, std::string, std::less<>>;

class PromptTemplate {
 public:
  PromptTemplate() = default;

  /// `known` are the names that may be filled in. Fails with `invalid` on another name and on braces without an end.
  static Result<PromptTemplate> parse(std::string_view text, std::span<const std::string> known);

  /// True when the name stands somewhere in the text.
  [[nodiscard]] bool uses(std::string_view name) const;
  /// A name without a value becomes an empty text.
  [[nodiscard]] std::string render(const PromptValues& values) const;

 private:
  struct Piece {
    std::string text;
    bool is_name = false;
  };
  void add_text(std::string_view text);

  std::vector<Piece> pieces_;
};

}  // namespace parley::kinds
