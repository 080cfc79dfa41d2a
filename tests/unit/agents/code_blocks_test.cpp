#include "agents/kinds/code_blocks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using sandbox::Language;
using testing::IsEmpty;

TEST(CodeBlocks, are_found_with_their_language) {
  const auto blocks = find_code_blocks("Look:\n```python\nprint(1)\n```\nand\n~~~ bash\nls\n~~~\nend");
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0], (CodeBlock{"python", Language::python, "print(1)\n", ""}));
  EXPECT_EQ(blocks[1], (CodeBlock{"bash", Language::shell, "ls\n", ""}));
}

TEST(CodeBlocks, know_the_names_that_models_use) {
  for (const char* name : {"python", "py", "Python3"}) {
    EXPECT_EQ(find_code_blocks(std::string("```") + name + "\nx\n```").at(0).language, Language::python) << name;
  }
  for (const char* name : {"sh", "bash", "shell", "SH"}) {
    EXPECT_EQ(find_code_blocks(std::string("```") + name + "\nx\n```").at(0).language, Language::shell) << name;
  }
  for (const char* name : {"", "json", "text", "pythonic"}) {
    EXPECT_FALSE(find_code_blocks(std::string("```") + name + "\nx\n```").at(0).language) << name;
  }
}

TEST(CodeBlocks, a_longer_fence_holds_shorter_ones) {
  const auto blocks = find_code_blocks("````python\ns = '''\n```sh\nrm\n```\n'''\n````\n");
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].code, "s = '''\n```sh\nrm\n```\n'''\n");
}

TEST(CodeBlocks, one_that_is_not_closed_ends_with_the_text) {
  EXPECT_EQ(find_code_blocks("```python\nprint(1)").at(0).code, "print(1)\n");
}

TEST(CodeBlocks, inline_code_is_none) {
  EXPECT_THAT(find_code_blocks("use `x` or ```y``` here\n```z``` too\n    ```python\n    no\n"), IsEmpty());
  EXPECT_THAT(find_code_blocks(""), IsEmpty());
}

TEST(CodeBlocks, read_line_ends_of_both_kinds_and_keep_indentation) {
  EXPECT_EQ(find_code_blocks("```py\r\ndef f():\r\n  return 1\r\n```\r\n").at(0).code, "def f():\n  return 1\n");
  EXPECT_EQ(find_code_blocks("  ```py\n  if x:\n    y\n  ```").at(0).code, "if x:\n  y\n");
}

TEST(CodeBlocks, may_name_the_file_that_they_are) {
  EXPECT_EQ(find_code_blocks("```python\n# filename: tests/test_a.py\nx\n```").at(0).file_name, "tests/test_a.py");
  EXPECT_EQ(find_code_blocks("```html\n<!-- filename: a.html -->\n```").at(0).file_name, "a.html");
  EXPECT_EQ(find_code_blocks("```python\nx = 'filename: b'\n```").at(0).file_name, "");
  EXPECT_EQ(find_code_blocks("```python\nx\n# filename: b\n```").at(0).file_name, "");
}

}  // namespace
}  // namespace parley::kinds
