#include "services/cli/word_wrapper.hpp"

#include "services/cli/table.hpp"

namespace parley::cli {

std::string WordWrapper::feed(std::string_view piece) {
  std::string out;
  for (const char c : piece) {
    if (c == '\n') {
      end_word(out);
      break_line(out);
    } else if (c == ' ') {
      end_word(out);
      has_space_ = true;
    } else {
      word_ += c;
    }
  }
  return out;
}

std::string WordWrapper::finish() {
  std::string out;
  end_word(out);
  return out;
}

void WordWrapper::end_word(std::string& out) {
  if (word_.empty()) return;
  const std::size_t length = display_width(word_);
  if (has_space_ && column_ + 1 + length > width_) {
    break_line(out);
  } else if (has_space_) {
    out += ' ';
    ++column_;
  }
  out += word_;
  column_ += length;
  word_.clear();
  has_space_ = false;
}

void WordWrapper::break_line(std::string& out) {
  out += '\n';
  out.append(indent_, ' ');
  column_ = indent_;
  has_space_ = false;
}

}  // namespace parley::cli
