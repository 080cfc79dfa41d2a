#include "services/cli/top/styled_line.hpp"

#include "services/cli/text_width.hpp"

namespace parley::cli::top {

std::string plain_text(const StyledLine& line) {
  std::string text;
  for (const Piece& piece : line) text += piece.text;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string ansi_text(const StyledLine& line, bool has_color) {
  std::string text;
  for (const Piece& piece : line) {
    const bool is_styled = piece.color && (has_color || *piece.color == Color::bold);
    if (piece.is_inverse) text += "\x1b[7m";
    if (is_styled) text += escape_of(*piece.color);
    text += piece.text;
    if (piece.is_inverse || is_styled) text += "\x1b[0m";
  }
  return text;
}

StyledLine clipped(StyledLine line, std::size_t width) {
  std::size_t total = 0;
  for (const Piece& piece : line) total += display_width(piece.text);
  if (total <= width) return line;
  StyledLine kept;
  std::size_t room = width;
  for (Piece& piece : line) {
    const std::size_t needed = display_width(piece.text);
    // The last column is for the mark, unless this piece is cut and brings its own.
    if (needed < room) {
      room -= needed;
      kept.push_back(std::move(piece));
      continue;
    }
    piece.text = needed == room ? shortened(piece.text + "…", room) : shortened(piece.text, room);
    kept.push_back(std::move(piece));
    break;
  }
  return kept;
}

std::string screen_text(const std::vector<StyledLine>& lines, std::size_t height, bool has_color) {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += "\r\n";
    text += "\x1b[K" + ansi_text(lines[i], has_color);
  }
  if (lines.size() < height) text += "\r\n\x1b[J";
  return text;
}

}  // namespace parley::cli::top
