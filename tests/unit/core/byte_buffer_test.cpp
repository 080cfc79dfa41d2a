#include "libmsg/core/byte_buffer.hpp"

#include <gtest/gtest.h>
#include <string>

namespace parley {
namespace {

TEST(ByteBuffer, keeps_content_while_it_grows) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    buffer.append(piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.text(), expected);
}

TEST(ByteBuffer, grows_in_doublings) {
  ByteBuffer buffer;
  int growths = 0;
  std::size_t capacity = 0;
  for (int i = 0; i < 100'000; ++i) {
    buffer.append("x");
    if (buffer.capacity() != capacity) ++growths;
    capacity = buffer.capacity();
  }
  EXPECT_LT(growths, 20);
}

TEST(ByteBuffer, clear_keeps_the_memory) {
  ByteBuffer buffer(1000);
  buffer.append("abc");
  const std::byte* before = buffer.data();
  buffer.clear();
  EXPECT_TRUE(buffer.is_empty());
  EXPECT_EQ(buffer.data(), before);
  EXPECT_EQ(buffer.capacity(), 1000U);
}

TEST(ByteBuffer, moved_from_is_empty_and_usable) {
  ByteBuffer first;
  first.append("abc");
  ByteBuffer second = std::move(first);
  EXPECT_EQ(second.text(), "abc");
  EXPECT_TRUE(first.is_empty());  // NOLINT(bugprone-use-after-move): a moved-from buffer is empty
  first.append("new");
  EXPECT_EQ(first.text(), "new");
  second = std::move(first);
  EXPECT_EQ(second.text(), "new");
}

TEST(ByteBuffer, truncate_only_shortens) {
  ByteBuffer buffer;
  buffer.append("abcdef");
  buffer.truncate(2);
  EXPECT_EQ(buffer.text(), "ab");
  buffer.truncate(5);
  EXPECT_EQ(buffer.text(), "ab");
}

TEST(ByteBuffer, takes_empty_pieces_without_allocating) {
  ByteBuffer buffer;
  buffer.append("");
  buffer.append(Bytes());
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.text(), "");
}

}  // namespace
}  // namespace parley
