#include "services/cli/app.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include "services/cli/exit_code.hpp"
#include "services/cli/verb.hpp"

namespace parley::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

/// Collects what is written to a stream.
class Sink {
 public:
  Sink() : stream_(::open_memstream(&text_, &size_)) {}
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() {
    (void)std::fclose(stream_);
    std::free(text_);  // NOLINT: open_memstream's contract
  }
  [[nodiscard]] std::FILE* stream() { return stream_; }
  [[nodiscard]] std::string text() {
    (void)std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

Outcome run_with(const std::vector<std::string>& arguments) {
  Sink out;
  Sink err;
  Console console(out.stream(), err.stream(), {});
  const int code = run(arguments, console, "/nowhere");
  return {code, out.text(), err.text()};
}

TEST(CommandLine, an_unknown_flag_is_one_line_with_the_nearest_one) {
  const Outcome outcome = run_with({"ps", "--jsn"});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_EQ(outcome.err,
            "error: invalid: 'parley ps' has no option '--jsn' (see 'parley ps --help', did you mean '--json'?)\n");
}

TEST(CommandLine, an_unknown_verb_is_one_line_with_the_nearest_one) {
  const Outcome outcome = run_with({"reqest", "hr"});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'request'?"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

TEST(CommandLine, a_missing_argument_is_named) {
  const Outcome outcome = run_with({"request"});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("TARGET"));
}

TEST(CommandLine, a_duration_without_a_unit_is_refused) {
  const Outcome outcome = run_with({"ps", "--timeout", "5"});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("250ms"));
}

TEST(CommandLine, a_number_out_of_range_is_refused) {
  EXPECT_EQ(run_with({"dlq", "ls", "--limit", "0"}).code, kBadUsage);
  EXPECT_EQ(run_with({"dlq", "ls", "--limit", "1e3"}).code, kBadUsage);
}

TEST(CommandLine, a_request_without_a_body_does_not_read_standard_input) {
  const Outcome outcome = run_with({"request", "hr"});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("BODY is missing"));
}

TEST(CommandLine, broken_json_is_refused_before_anything_is_sent) {
  const Outcome outcome = run_with({"request", "hr", "{\"text\": "});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("looks like JSON"));
}

TEST(CommandLine, a_bad_target_is_refused_before_anything_is_sent) {
  EXPECT_EQ(run_with({"request", "h r", "hi"}).code, kBadUsage);
  EXPECT_EQ(run_with({"publish", "a b", "hi"}).code, kBadUsage);
}

TEST(CommandLine, a_bad_trace_id_is_refused) { EXPECT_EQ(run_with({"trace", "xyz"}).code, kBadUsage); }

TEST(CommandLine, a_missing_configuration_file_is_bad_usage) {
  EXPECT_EQ(run_with({"config", "validate", "/nowhere/x.yaml"}).code, kBadUsage);
}

TEST(CommandLine, version_goes_to_standard_output) {
  const Outcome outcome = run_with({"version", "--json"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.out, HasSubstr("\"protocol\":1"));
  EXPECT_EQ(outcome.err, "");
}

TEST(CommandLine, without_a_verb_it_shows_help_and_fails) {
  const Outcome outcome = run_with({});
  EXPECT_EQ(outcome.code, kBadUsage);
  EXPECT_THAT(outcome.err, HasSubstr("request"));
}

TEST(CommandLine, every_verb_has_help_with_an_example) {
  for (const Verb& verb : all_verbs()) {
    std::vector<std::string> arguments;
    const std::string name(verb.name);
    const auto space = name.find(' ');
    arguments.push_back(name.substr(0, space));
    if (space != std::string::npos) arguments.push_back(name.substr(space + 1));
    arguments.emplace_back("--help");
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.code, kDone) << name;
    EXPECT_THAT(outcome.out, HasSubstr("Example:\n  ")) << name;
    EXPECT_THAT(outcome.out, HasSubstr("--json")) << name;
  }
}

TEST(Completion, offers_every_verb_and_its_flags) {
  const CommandTree tree = command_tree();
  for (const std::string& script : {bash_completion(tree), zsh_completion(tree)}) {
    for (const Verb& verb : all_verbs())
      EXPECT_THAT(script, HasSubstr("'" + std::string(verb.name) + "')")) << verb.name;
    EXPECT_THAT(script, HasSubstr("--concurrency"));
  }
}

TEST(Console, never_prints_control_characters_of_others) {
  EXPECT_EQ(printable("a\x1b[2Jb\tc\nd"), "a?[2Jb\tc\nd");
  EXPECT_EQ(printable("\xc2\x9b"
                      "0m"),
            "?0m");
  EXPECT_EQ(printable("äöü"), "äöü");
}

TEST(Console, has_no_colour_unless_told) {
  Sink out;
  Sink err;
  Console console(out.stream(), err.stream(), {});
  EXPECT_EQ(console.paint(Color::red, "x"), "x");
  console.status("progress");
  EXPECT_EQ(err.text(), "");
}

TEST(ExitCodes, follow_the_error) {
  EXPECT_EQ(exit_code_of(ErrorCode::unreachable), 3);
  EXPECT_EQ(exit_code_of(ErrorCode::timeout), 4);
  EXPECT_EQ(exit_code_of(ErrorCode::bad_configuration), 2);
  EXPECT_EQ(exit_code_of(ErrorCode::handler_failed), 1);
}

TEST(ExitCodes, of_an_answer_blame_neither_the_broker_nor_the_usage) {
  EXPECT_EQ(exit_code_of_answer(ErrorCode::unreachable), 1);
  EXPECT_EQ(exit_code_of_answer(ErrorCode::bad_configuration), 1);
  EXPECT_EQ(exit_code_of_answer(ErrorCode::budget_exceeded), 1);
  EXPECT_EQ(exit_code_of_answer(ErrorCode::timeout), 4);
}

}  // namespace
}  // namespace parley::cli
