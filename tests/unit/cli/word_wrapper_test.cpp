#include "services/cli/word_wrapper.hpp"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

std::string wrap(std::string_view text, std::size_t piece_bytes) {
  WordWrapper wrapper(10, 2, 3);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += piece_bytes) out += wrapper.feed(text.substr(i, piece_bytes));
  return out + wrapper.finish();
}

TEST(WordWrapper, breaks_at_the_space_before_the_word_that_does_not_fit) {
  EXPECT_EQ(wrap("one two three four", 100), "one two\n  three\n  four");
}

TEST(WordWrapper, the_pieces_make_no_difference) {
  for (std::size_t bytes = 1; bytes < 20; ++bytes)
    EXPECT_EQ(wrap("a bb cccc dd e ffffff", bytes), wrap("a bb cccc dd e ffffff", 100));
}

TEST(WordWrapper, a_word_wider_than_the_line_is_not_cut) {
  EXPECT_EQ(wrap("abcdefghijklmn op", 100), "abcdefghijklmn\n  op");
}

TEST(WordWrapper, breaks_of_the_text_stay) { EXPECT_EQ(wrap("a\nb", 100), "a\n  b"); }

}  // namespace
}  // namespace parley::cli
