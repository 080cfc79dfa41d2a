// The stub model server as a program, for tests with real processes. Prints `{"base_url":…,"port":…}` as its first
// line, then one JSON line for every request, and runs until SIGTERM or SIGINT.
#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/resource.h>

#include "agents/host/offline_config.hpp"
#include "tests/support/stub_model_server.hpp"
#include "tests/support/stub_script.hpp"

namespace {

using parley::test::StubReply;

struct Flags {
  StubReply reply;
  int fail_status = 0;
  int retry_after = 0;
  int first = 0;
  int delay_ms = 0;
  int interval_ms = 0;
  std::size_t pieces = 1;
  bool is_cut = false;
  bool is_stalled = false;
  bool is_malformed = false;
  bool is_quiet = false;
  std::string rules_file;
  int stagger_ms = 0;
};

/// The misbehaviour that the flags describe.
StubReply trouble(const Flags& flags) {
  StubReply reply = flags.reply;
  reply.pieces_before_ending = flags.pieces;
  if (flags.is_cut) reply.ending = StubReply::Ending::cut;
  if (flags.is_stalled) reply.ending = StubReply::Ending::stall;
  if (flags.is_malformed) reply.raw_body = "{\"choices\": [";
  if (flags.fail_status != 0) {
    reply.status = flags.fail_status;
    reply.raw_body = R"({"error":{"message":"the stub was told to fail","type":"stub_error","code":null}})";
  }
  if (flags.retry_after != 0) reply.headers.emplace_back("Retry-After", std::to_string(flags.retry_after));
  return reply;
}

void print(const nlohmann::json& line) {
  std::puts(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

/// Tells what is wrong with the file.
std::optional<parley::llm::OfflineRules> read_rules(const std::string& file) {
  const auto document = parley::config::load_yaml(file);
  parley::config::ConfigProblems problems;
  std::optional<parley::llm::OfflineRules> rules;
  if (document) {
    parley::config::ConfigReader reader(*document, problems);
    rules = parley::host::read_offline_rules(reader);
    reader.reject_unknown_keys();
  } else {
    problems = document.error();
  }
  if (problems.is_empty()) return rules;
  std::fprintf(stderr, "%s\n", problems.str().c_str());
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A model server (OpenAI's interface, and Anthropic's at /messages) that does what it is told");
  Flags flags;
  app.add_option("--reply", flags.reply.text, "Text of the completion");
  app.add_option("--chunk-bytes", flags.reply.chunk_bytes, "Size of the streamed pieces")->check(CLI::PositiveNumber);
  app.add_flag("!--no-usage", flags.reply.has_usage, "Leave usage out");
  app.add_option("--delay-ms", flags.delay_ms, "Wait before each answer");
  app.add_option("--interval-ms", flags.interval_ms, "Wait between streamed pieces");
  app.add_option("--fail", flags.fail_status, "Answer with this HTTP status");
  app.add_option("--retry-after", flags.retry_after, "Send Retry-After with this many seconds");
  app.add_flag("--cut", flags.is_cut, "Close the connection in the middle of the answer");
  app.add_flag("--stall", flags.is_stalled, "Fall silent in the middle of the answer");
  app.add_option("--pieces", flags.pieces, "Pieces of text before --cut or --stall");
  app.add_flag("--malformed", flags.is_malformed, "Send broken JSON");
  app.add_option("--stagger-ms", flags.stagger_ms, "Delay the first answer of each connection by up to so much more");
  app.add_option("--rules", flags.rules_file, "Answer by the `rules` of an offline model, a YAML map in this file");
  app.add_flag("--quiet", flags.is_quiet, "Neither print nor keep the requests (for load)");
  app.add_option("--first", flags.first, "Misbehave for this many requests, then answer well (0: always misbehave)");
  CLI11_PARSE(app, argc, argv);
  flags.reply.delay = std::chrono::milliseconds(flags.delay_ms);
  flags.reply.piece_interval = std::chrono::milliseconds(flags.interval_ms);

  // Every call under load is a connection.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  asio::io_context io;
  parley::test::StubModelServer server(io);
  server.set_default(flags.first == 0 ? trouble(flags) : flags.reply);
  for (int i = 0; i < flags.first; ++i) server.push(trouble(flags));
  if (!flags.rules_file.empty()) {
    std::optional<parley::llm::OfflineRules> rules = read_rules(flags.rules_file);
    if (!rules) return 2;
    server.set_responder([rules = std::move(*rules)](const parley::test::StubRequest& request) {
      return parley::test::reply_by_rules(rules, request);
    });
  }
  server.set_stagger(std::chrono::milliseconds(flags.stagger_ms));
  if (flags.is_quiet) {
    server.keep_no_requests();
  } else {
    server.set_observer([](const parley::test::StubRequest& request) {
      print({{"method", request.method}, {"path", request.path}, {"body", request.body}});
    });
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const asio::error_code&, int) { io.stop(); });
  print({{"base_url", server.base_url()}, {"port", server.port()}});
  io.run();
}
