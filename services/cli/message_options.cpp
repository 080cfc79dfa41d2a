#include "services/cli/message_options.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "libmsg/wire/limits.hpp"
#include "services/cli/error_view.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/payload_view.hpp"

namespace parley::cli {
namespace {

/// What is wrong with the combination of flags; empty text when nothing is.
std::string_view misuse(const MessageOptions& message) {
  if (message.feed.file && message.body) return "give BODY or --from-file, not both";
  if (!message.feed.file && !message.body)
    return "BODY is missing (JSON or text, '-' for standard input, or --from-file)";
  if (!message.feed.file && (message.feed.rate > 0 || message.feed.concurrency > 1)) {
    return "--rate and --concurrency need --from-file";
  }
  return "";
}

Result<Payload> read_body(const MessageOptions& message) {
  if (*message.body != "-") return parse_body(*message.body, message.body_options);
  const Result<std::string> text = read_all(STDIN_FILENO, wire::kMaxPayloadBytes);
  if (!text) return fail(text.error());
  return parse_body(*text, message.body_options);
}

Outgoing outgoing(Bus& bus, const MessageOptions& message, Payload payload, std::chrono::milliseconds timeout) {
  Outgoing made;
  made.payload = std::move(payload);
  made.call.timeout = timeout;
  if (message.is_traced) {
    made.trace = TraceContext::make(bus.random);
    set_traced(made.call, *made.trace);
    bus.console.note(fmt::format("trace {}", made.trace->id));
  }
  return made;
}

Task<Result<>> send_line(Bus& bus, const MessageOptions& message, std::chrono::milliseconds timeout,
                         const SendOne& send_one, std::uint64_t number, std::string line) {
  Result<Payload> payload = parse_body(line, message.body_options);
  Result<> done;
  if (payload) {
    Outgoing one = outgoing(bus, message, std::move(*payload), timeout);
    done = co_await send_one(bus, std::move(one));
  } else {
    done = fail(payload.error());
  }
  if (!done) {
    if (bus.common.is_json) bus.console.print(to_line({{"line", number}, {"error", error_to_json(done.error())}}));
    (void)bus.console.fail(Error(done.error().code, fmt::format("line {}: {}", number, done.error().message)));
  }
  co_return done;
}

Task<int> send_file(Bus& bus, const MessageOptions& message, std::chrono::milliseconds timeout,
                    const SendOne& send_one) {
  const FeedLine line = [&](std::uint64_t number, std::string text) {
    return send_line(bus, message, timeout, send_one, number, std::move(text));
  };
  const Result<FeedSummary> summary = co_await feed(bus, message.feed, line);
  if (!summary) co_return bus.console.fail_answer(summary.error());
  std::string report = fmt::format("{} sent", summary->sent);
  for (const auto& [code, count] : summary->failures) report += fmt::format(", {} failed with {}", count, code);
  bus.console.note(report);
  co_return summary->failed() == 0 ? kDone : kFailed;
}

}  // namespace

void declare_message_options(Options& options, MessageOptions& message) {
  options.argument("BODY", message.body, "JSON, or plain text that becomes {\"text\": …}; '-' reads standard input");
  options.option("--type", message.body_options.type, "NAME", "Type of the payload (default parley.Text)");
  options.flag("--text", message.body_options.is_text, "Take BODY as plain text even if it looks like JSON");
  options.option("--from-file", message.feed.file, "FILE", "One BODY a line; '-' for standard input");
  options.number("--rate", message.feed.rate, 0, 1'000'000, "With --from-file: messages a second, 0 for no limit");
  options.number("--concurrency", message.feed.concurrency, 1, 10'000, "With --from-file: messages under way at once");
  options.flag("--trace", message.is_traced, "Record every hop; prints the id for 'parley trace'");
}

int send_messages(const Environment& environment, const MessageOptions& message, std::string purpose,
                  std::chrono::milliseconds patience, const SendOne& send_one) {
  if (const auto problem = misuse(message); !problem.empty()) return environment.console.refuse_usage(problem);
  BusOptions options{.purpose = std::move(purpose), .default_timeout = patience};
  if (message.feed.file) {
    const auto timeout = environment.common.timeout.value_or(patience);
    return run_on_bus(environment, std::move(options),
                      [&](Bus& bus) { return send_file(bus, message, timeout, send_one); });
  }
  Result<Payload> payload = read_body(message);
  if (!payload) return environment.console.refuse_usage(payload.error().message);
  return run_on_bus(environment, std::move(options), [&](Bus& bus) -> Task<int> {
    Outgoing one = outgoing(bus, message, std::move(*payload), bus.time_left());
    const Result<> done = co_await send_one(bus, std::move(one));
    if (done) co_return kDone;
    if (bus.common.is_json) bus.console.print(to_line({{"error", error_to_json(done.error())}}));
    co_return bus.console.fail_answer(done.error());
  });
}

}  // namespace parley::cli
