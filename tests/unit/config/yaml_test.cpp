#include "services/config/yaml.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::config {
namespace {

using testing::HasSubstr;

YamlNode parsed(std::string_view text) {
  Loaded<YamlDocument> document = parse_yaml(text, "x.yaml");
  EXPECT_TRUE(document) << document.error().str();
  return document ? std::move(document->root) : YamlNode();
}

std::string problems_of(std::string_view text) {
  const Loaded<YamlDocument> document = parse_yaml(text, "x.yaml");
  return document ? std::string() : document.error().str();
}

TEST(Yaml, keeps_the_line_of_each_value) {
  const YamlNode root = parsed("a: 1\nb:\n  - x\n  - y\n");
  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(root.entries[0].line, 1);
  EXPECT_EQ(root.entries[1].line, 2);
  EXPECT_EQ(root.entries[1].value.items.at(1).line, 4);
}

TEST(Yaml, tells_texts_lists_maps_and_nothing_apart) {
  const YamlNode root = parsed("a: text\nb: [1, 2]\nc: {d: e}\nf:\ng: ~\nh: \"~\"\n");
  EXPECT_EQ(root.entries[0].value.kind, YamlNode::Kind::scalar);
  EXPECT_EQ(root.entries[1].value.kind, YamlNode::Kind::list);
  EXPECT_EQ(root.entries[2].value.kind, YamlNode::Kind::map);
  EXPECT_EQ(root.entries[3].value.kind, YamlNode::Kind::null);
  EXPECT_EQ(root.entries[4].value.kind, YamlNode::Kind::null);
  EXPECT_EQ(root.entries[5].value.text, "~");
}

TEST(Yaml, of_an_empty_text_is_null) {
  EXPECT_EQ(parsed("").kind, YamlNode::Kind::null);
  EXPECT_EQ(parsed("# only a remark\n").kind, YamlNode::Kind::null);
}

TEST(Yaml, that_is_malformed_is_reported_with_its_line) {
  EXPECT_THAT(problems_of("a: 1\nb: [1, 2\n"), HasSubstr("x.yaml:"));
  EXPECT_THAT(problems_of("a: 1\n\tb: 2\n"), HasSubstr("not valid YAML"));
}

TEST(Yaml, refuses_a_key_twice_and_names_the_first_line) {
  EXPECT_EQ(problems_of("a: 1\nb: 2\na: 3\n"), "x.yaml:3: a: expected each key once; it is already on line 1");
}

TEST(Yaml, refuses_keys_that_are_no_text) {
  EXPECT_THAT(problems_of("? [a, b]\n: 1\n"), HasSubstr("plain text as key"));
}

TEST(Yaml, refuses_a_second_document) {
  EXPECT_THAT(problems_of("a: 1\n---\nb: 2\n"), HasSubstr("x.yaml:2: expected one document"));
}

TEST(Yaml, expands_aliases) {
  const YamlNode root = parsed("a: &x {b: [1, 2]}\nc: *x\n");
  EXPECT_EQ(root.entries.at(1).value.entries.at(0).value.items.size(), 2U);
}

TEST(Yaml, refuses_an_alias_of_the_value_around_it) {
  EXPECT_THAT(problems_of("a: &x [1, *x]\n"), HasSubstr("not of itself"));
}

TEST(Yaml, refuses_aliases_that_multiply) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "*a" : ", *a") + last;
    bomb += "]\n";
  }
  EXPECT_THAT(problems_of(bomb), HasSubstr("expected at most 50000 values"));
}

TEST(Yaml, refuses_text_that_multiplies) {
  std::string bomb = "a: &a " + std::string(100'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 50; ++i) bomb += ", *a";
  EXPECT_THAT(problems_of(bomb + "]\n"), HasSubstr("expected at most 4 MiB of text"));
}

TEST(Yaml, refuses_deep_nesting_before_it_hurts) {
  EXPECT_THAT(problems_of(std::string(100'000, '[')), HasSubstr("expected at most 32 levels of nesting"));
  EXPECT_THAT(problems_of(std::string(31, '[') + std::string(31, ']')), "");
  EXPECT_THAT(problems_of(std::string(32, '[') + std::string(32, ']')), HasSubstr("levels of nesting"));
}

TEST(Yaml, refuses_a_file_that_is_too_large) {
  EXPECT_THAT(problems_of(std::string(kMaxYamlBytes + 1, '#')), HasSubstr("at most 1 MiB"));
}

TEST(Yaml, says_why_a_file_cannot_be_read) {
  const auto missing = load_yaml("/nonexistent/x.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().str(), "/nonexistent/x.yaml: cannot be read: No such file or directory");
  const auto folder = load_yaml("/");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().str(), HasSubstr("a directory or a device"));
}

}  // namespace
}  // namespace parley::config
