// parley request TARGET [BODY]: one direct request, prints the reply.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/exit_code.hpp"
#include "services/cli/message_options.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace request_verb {

constexpr std::chrono::milliseconds kPatience{30'000};

struct Settings {
  std::string target;
  MessageOptions message;
  bool is_streamed = false;
};

void print_reply(Bus& bus, const Settings& settings, const Outgoing& sent, const Payload& reply, Duration latency) {
  if (!bus.common.is_json) {
    bus.console.print(printable(payload_to_text(reply)));
    return;
  }
  nlohmann::json line{{"target", settings.target},
                      {"type", reply.type},
                      {"reply", payload_to_json(reply)},
                      {"latency_ms", std::chrono::duration<double, std::milli>(latency).count()}};
  if (sent.trace) line["trace"] = sent.trace->id;
  bus.console.print(to_line(line));
}

/// Prints the parts as they come; gives the final reply, and tells whether the parts have shown its text already.
struct StreamedReply {
  Payload reply;
  bool has_printed_parts = false;
};

Task<Result<StreamedReply>> receive_stream(Bus& bus, Target target, Payload payload, CallOptions call) {
  Result<ReplyStream> stream =
      co_await bus.client.request_stream(std::move(target), std::move(payload), std::move(call));
  if (!stream) co_return fail(stream.error());
  StreamedReply received;
  for (;;) {
    Result<std::optional<Payload>> part = co_await stream->next();
    if (!part) {
      // What comes now is no part of the text.
      if (received.has_printed_parts) bus.console.write("\n");
      co_return fail(part.error());
    }
    if (!*part) break;
    if (bus.common.is_json) {
      bus.console.print(to_line({{"type", (*part)->type}, {"part", payload_to_json(**part)}}));
    } else {
      bus.console.write(printable(payload_to_text(**part)));
      received.has_printed_parts = true;
    }
  }
  received.reply = stream->reply();
  co_return received;
}

Task<Result<>> request_one(Bus& bus, const Settings& settings, Target target, Outgoing message) {
  const TimePoint start = bus.clock.now();
  Payload payload = std::move(message.payload);
  CallOptions call = message.call;
  if (settings.is_streamed) {
    const Result<StreamedReply> received =
        co_await receive_stream(bus, std::move(target), std::move(payload), std::move(call));
    if (!received) co_return fail(received.error());
    if (received->has_printed_parts) {
      bus.console.write("\n");
    } else {
      print_reply(bus, settings, message, received->reply, bus.clock.now() - start);
    }
    co_return Result<>{};
  }
  const Result<Payload> reply = co_await bus.client.request(std::move(target), std::move(payload), std::move(call));
  if (!reply) co_return fail(reply.error());
  print_reply(bus, settings, message, *reply, bus.clock.now() - start);
  co_return Result<>{};
}

int run_request(Environment& environment, const Settings& settings) {
  const Result<Target> target = Target::parse(settings.target);
  if (!target) return environment.console.refuse_usage(target.error().message);
  return send_messages(environment, settings.message, "request", kPatience, [&](Bus& bus, Outgoing message) {
    return request_one(bus, settings, *target, std::move(message));
  });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("TARGET", settings->target, "Agent: type, type/key or @capability");
  declare_message_options(options, settings->message);
  options.flag("--stream", settings->is_streamed, "Print the parts of the reply as they come");
  return [settings](Environment& environment) { return run_request(environment, *settings); };
}

}  // namespace request_verb
}  // namespace

const Verb kRequestVerb{"request", "Send a direct request and print the reply",
                        "  parley request hr/alice 'How many days of leave do I have?'\n"
                        "  parley request @translate '{\"text\": \"good morning\"}' --json --timeout 5s",
                        Reach::bus, &request_verb::declare};

}  // namespace parley::cli
