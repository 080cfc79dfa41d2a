// parley send TARGET [BODY]: a direct message without a reply.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/message_options.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace send_verb {

constexpr std::chrono::milliseconds kPatience{30'000};

struct Settings {
  std::string target;
  MessageOptions message;
};

Task<Result<>> send_one(Bus& bus, const Settings& settings, Target target, Outgoing message) {
  const Result<> accepted =
      co_await bus.client.send(std::move(target), std::move(message.payload), std::move(message.call));
  if (!accepted) co_return accepted;
  if (bus.common.is_json) {
    nlohmann::json line{{"target", settings.target}, {"accepted", true}};
    if (message.trace) line["trace"] = message.trace->id;
    bus.console.print(to_line(line));
  } else if (!settings.message.feed.file) {
    bus.console.print("accepted for " + settings.target);
  }
  co_return accepted;
}

int run_send(Environment& environment, const Settings& settings) {
  const Result<Target> target = Target::parse(settings.target);
  if (!target) return environment.console.refuse_usage(target.error().message);
  return send_messages(environment, settings.message, "send", kPatience, [&](Bus& bus, Outgoing message) {
    return send_one(bus, settings, *target, std::move(message));
  });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("TARGET", settings->target, "Agent: type, type/key or @capability");
  declare_message_options(options, settings->message);
  return [settings](Environment& environment) { return run_send(environment, *settings); };
}

}  // namespace send_verb
}  // namespace

const Verb kSendVerb{"send", "Send a direct message without waiting for a reply",
                     "  parley send audit/eu '{\"text\": \"nightly run done\"}'\n"
                     "  parley send indexer --from-file documents.jsonl --rate 100 --concurrency 8",
                     Reach::bus, &send_verb::declare};

}  // namespace parley::cli
