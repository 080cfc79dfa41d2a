#include "services/config/reader.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

struct ReaderTest : testing::Test {
  ConfigReader read(std::string_view text) {
    Loaded<YamlDocument> parsed = parse_yaml(text, "x.yaml");
    EXPECT_TRUE(parsed) << parsed.error().str();
    document = std::move(*parsed);
    return ConfigReader(document, problems);
  }

  YamlDocument document;
  ConfigProblems problems;
};

TEST_F(ReaderTest, gives_the_values_that_are_there) {
  ConfigReader reader = read("text: hello\nflag: yes\ncount: 7\nratio: 0.5\nwait: 5s\nlist: [a, b]\nmap: {k: v}\n");
  EXPECT_EQ(reader.text("text"), "hello");
  EXPECT_TRUE(reader.flag("flag", false));
  EXPECT_EQ(reader.integer("count", 1, {1, 10}), 7U);
  EXPECT_EQ(reader.number("ratio", 1, {0, 1}), 0.5);
  EXPECT_EQ(reader.duration("wait", milliseconds(1), {milliseconds(1), milliseconds(10'000)}), milliseconds(5'000));
  EXPECT_THAT(reader.texts("list"), ElementsAre("a", "b"));
  EXPECT_THAT(reader.text_map("map"), ElementsAre(Pair("k", "v")));
  reader.reject_unknown_keys();
  EXPECT_TRUE(problems.is_empty()) << problems.str();
}

TEST_F(ReaderTest, gives_the_fallback_for_what_is_not_there) {
  ConfigReader reader = read("other: 1\n");
  EXPECT_EQ(reader.text("text", "fallback"), "fallback");
  EXPECT_EQ(reader.integer("count", 3, {1, 10}), 3U);
  EXPECT_TRUE(reader.flag("flag", true));
  EXPECT_TRUE(reader.texts("list").empty());
  EXPECT_TRUE(problems.is_empty());
}

TEST_F(ReaderTest, reports_every_problem_in_one_run) {
  ConfigReader reader = read("count: many\nflag: maybe\nwait: 5\nlist: {a: b}\nmodle: x\n");
  EXPECT_EQ(reader.integer("count", 1, {1, 10}), 1U);
  EXPECT_FALSE(reader.flag("flag", false));
  EXPECT_EQ(reader.duration("wait", milliseconds(1), {milliseconds(1), milliseconds(10)}), milliseconds(1));
  EXPECT_TRUE(reader.texts("list").empty());
  EXPECT_EQ(reader.text("model"), "");
  reader.reject_unknown_keys();
  EXPECT_EQ(problems.str(),
            "x.yaml:1: count: 'many': expected a whole number from 1 to 10\n"
            "x.yaml:2: flag: 'maybe': expected true or false\n"
            "x.yaml:3: wait: '5': expected a duration such as 250ms, 5s or 2m\n"
            "x.yaml:4: list: expected a list of texts\n"
            "x.yaml:5: modle: unknown key (did you mean 'model'?)");
}

TEST_F(ReaderTest, refuses_numbers_out_of_range_or_with_anything_behind_them) {
  ConfigReader reader = read("a: 11\nb: 0\nc: 5x\nd: -1\ne: 99999999999999999999\nf: nan\n");
  for (const char* key : {"a", "b", "c", "d", "e"}) EXPECT_EQ(reader.integer(key, 1, {1, 10}), 1U) << key;
  EXPECT_EQ(reader.number("f", 1, {0, 2}), 1);
  EXPECT_EQ(problems.count(), 6U);
}

TEST_F(ReaderTest, never_repeats_a_secret) {
  ConfigReader reader =
      read("token: a1\napi_token: a1\nauthToken: a1\nX-Api-Key: a1\nclient_secret: a1\npassword: a1\n");
  for (const char* key : {"token", "api_token", "authToken", "X-Api-Key", "client_secret", "password"}) {
    EXPECT_EQ(reader.integer(key, 1, {1, 10}), 1U) << key;
  }
  EXPECT_EQ(problems.count(), 6U);
  EXPECT_THAT(problems.str(), Not(HasSubstr("a1")));
  EXPECT_THAT(problems.str(), HasSubstr("x.yaml:2: api_token: '(hidden)': expected"));
}

TEST_F(ReaderTest, shows_a_number_of_tokens) {
  ConfigReader reader = read("max_tokens: many\ntokens: -1\ninput_tokens: 1e6\nbudget: {output_tokens: x}\n");
  for (const char* key : {"max_tokens", "tokens", "input_tokens"}) EXPECT_EQ(reader.integer(key, 1, {1, 9}), 1U) << key;
  EXPECT_EQ(reader.child("budget").value().integer("output_tokens", 1, {1, 9}), 1U);
  EXPECT_EQ(problems.str(),
            "x.yaml:1: max_tokens: 'many': expected a whole number from 1 to 9\n"
            "x.yaml:2: tokens: '-1': expected a whole number from 1 to 9\n"
            "x.yaml:3: input_tokens: '1e6': expected a whole number from 1 to 9\n"
            "x.yaml:4: budget.output_tokens: 'x': expected a whole number from 1 to 9");
}

TEST_F(ReaderTest, refuses_durations_out_of_range) {
  ConfigReader reader = read("a: 2h\n");
  EXPECT_EQ(reader.duration("a", milliseconds(5), {milliseconds(1), milliseconds(60'000)}), milliseconds(5));
  EXPECT_EQ(problems.str(), "x.yaml:1: a: '2h': expected a duration from 1ms to 1m");
}

TEST_F(ReaderTest, reads_sizes_in_binary_units) {
  ConfigReader reader = read("a: 64KiB\nb: 2GiB\nc: 3\nd: 1KiB\n");
  constexpr Range<std::uint64_t> kRange{2048, std::uint64_t{1} << 40U};
  EXPECT_EQ(reader.size("a", 1, kRange), 65'536U);
  EXPECT_EQ(reader.size("b", 1, kRange), std::uint64_t{1} << 31U);
  EXPECT_EQ(reader.size("c", 1, kRange), 1U);
  EXPECT_EQ(reader.size("d", 1, kRange), 1U);
  EXPECT_EQ(reader.size("missing", 7, kRange), 7U);
  EXPECT_EQ(problems.str(),
            "x.yaml:3: c: '3': expected a size such as 64KiB, 512MiB or 2GiB\n"
            "x.yaml:4: d: '1KiB': expected a size from 2KiB to 1024GiB");
}

TEST_F(ReaderTest, reports_a_missing_text_at_the_line_of_its_map) {
  ConfigReader reader = read("a: 1\nagents:\n  - kind: x\n");
  std::vector<ConfigReader> agents = reader.children("agents");
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_EQ(agents[0].required_text("type"), "");
  EXPECT_EQ(problems.str(), "x.yaml:3: agents[0].type: expected a text, and the key is missing");
}

TEST_F(ReaderTest, suggests_the_nearest_choice) {
  constexpr std::array<std::string_view, 2> kNames{"phrases", "model"};
  ConfigReader reader = read("classifier: phrase\n");
  EXPECT_EQ(reader.choice("classifier", kNames, 9), 9U);
  EXPECT_EQ(problems.str(), "x.yaml:1: classifier: 'phrase': expected one of phrases, model (did you mean 'phrases'?)");
}

TEST_F(ReaderTest, walks_into_maps_of_maps_with_their_paths) {
  ConfigReader reader = read("models:\n  fast: {provider: 1}\n  slow: oops\n");
  auto models = reader.named_children("models");
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].second.path(), "models.fast");
  EXPECT_EQ(problems.str(), "x.yaml:3: models.slow: 'oops': expected a map");
}

TEST_F(ReaderTest, refuses_a_root_that_is_no_map) {
  read("[1, 2]\n");
  EXPECT_EQ(problems.str(), "x.yaml:1: expected a map of settings");
}

TEST_F(ReaderTest, does_not_repeat_what_may_be_a_secret) {
  ConfigReader reader = read("api_key: [sk-123]\ntoken: sk-456\n");
  reader.reject("token", "expected nothing");
  EXPECT_THAT(problems.str(), testing::Not(HasSubstr("sk-456")));
}

TEST(ConfigProblems, keep_a_hundred_and_count_the_others) {
  ConfigProblems problems;
  for (int i = 0; i < 150; ++i) problems.add({"x.yaml", i + 1, "k", {}, "wrong"});
  EXPECT_EQ(problems.items().size(), 100U);
  EXPECT_EQ(problems.count(), 150U);
  EXPECT_TRUE(problems.str().ends_with("\nand 50 more"));
}

TEST(ConfigProblem, is_shown_without_control_characters_and_shortened) {
  const ConfigProblem problem{"x.yaml", 1, "k", "a\x1b[31m\n" + std::string(100, 'b'), "expected less"};
  EXPECT_EQ(problem.str(), "x.yaml:1: k: 'a?[31m?" + std::string(53, 'b') + "…': expected less");
}

}  // namespace
}  // namespace parley::config
