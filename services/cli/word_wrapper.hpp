// Breaks text that arrives in pieces into lines at spaces, holding back no more than the last word. Pure; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace parley::cli {

class WordWrapper {
 public:
  /// Lines of at most `width` characters (a longer word gets a line of its own); the first one starts at `column`, the
  /// others behind `indent` spaces.
  WordWrapper(std::size_t width, std::size_t indent, std::size_t column)
      : width_(width), indent_(indent), column_(column) {}

  /// What can be printed now.
  [[nodiscard]] std::string feed(std::string_view piece);
  /// The rest.
  [[nodiscard]] std::string finish();

 private:
  void end_word(std::string& out);
  void break_line(std::string& out);

  std::size_t width_;
  std::size_t indent_;
  std::size_t column_;
  std::string word_;
  bool has_space_ = false;  ///< before word_
};

}  // namespace parley::cli
