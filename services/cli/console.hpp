// The two streams that a person or a script sees: results on standard output, everything else on standard error.
// Decides about colour once, at the start, so that no verb has to. Loop thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::cli {

struct ConsoleStyle {
  bool is_out_terminal = false;
  bool is_err_terminal = false;
  bool has_color = false;
  std::size_t width = 80;
};

enum class Color : std::uint8_t { dim, bold, red, green, yellow, blue, magenta, cyan };

/// The ANSI escape that begins it.
[[nodiscard]] std::string_view escape_of(Color color);

class Console {
 public:
  /// Borrows the streams.
  Console(std::FILE* out, std::FILE* err, ConsoleStyle style) : out_(out), err_(err), style_(style) {}
  /// Standard output and error of this process; colour if both are terminals and NO_COLOR is not set.
  static Console of_process();

  /// One line of the result, visible at once.
  void print(std::string_view line);
  /// A piece of the result without a newline, visible at once.
  void write(std::string_view piece);
  /// One line for the person, never for the pipe.
  void note(std::string_view line);
  /// A piece for the person without a newline, visible at once.
  void note_piece(std::string_view piece);
  /// Replaces the current line of a terminal's standard error; nothing elsewhere.
  void status(std::string_view line);

  /// Prints `error: code: message` and returns the exit code that belongs to it (see exit_code_of()).
  int fail(const Error& error);
  /// The same for what a broker or an agent answered (see exit_code_of_answer()).
  int fail_answer(const Error& error);
  /// Prints `error: invalid: message` and returns kBadUsage.
  int refuse_usage(std::string_view message);

  /// `text` in colour, or as it is when this console has none.
  [[nodiscard]] std::string paint(Color color, std::string_view text) const;
  [[nodiscard]] const ConsoleStyle& style() const { return style_; }

 private:
  void clear_status();

  std::FILE* out_;
  std::FILE* err_;
  ConsoleStyle style_;
  bool has_status_ = false;
};

/// `text` without control characters that could play tricks on a terminal; newlines and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace parley::cli
