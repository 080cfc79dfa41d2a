// parley publish TOPIC [BODY]: an event for every subscribed agent type.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/message_options.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace publish_verb {

constexpr std::chrono::milliseconds kPatience{30'000};

struct Settings {
  std::string topic;
  MessageOptions message;
};

Task<Result<>> publish_one(Bus& bus, const Settings& settings, Topic topic, Outgoing message) {
  const std::string name = topic.str();
  const Result<std::uint32_t> recipients =
      co_await bus.client.publish(std::move(topic), std::move(message.payload), std::move(message.call));
  if (!recipients) co_return fail(recipients.error());
  if (bus.common.is_json) {
    nlohmann::json line{{"topic", name}, {"recipients", *recipients}};
    if (message.trace) line["trace"] = message.trace->id;
    bus.console.print(to_line(line));
  } else if (!settings.message.feed.file) {
    bus.console.print(
        fmt::format("published to {}: {} {}", name, *recipients, *recipients == 1 ? "recipient" : "recipients"));
  }
  co_return Result<>{};
}

int run_publish(Environment& environment, const Settings& settings) {
  const Result<Topic> topic = Topic::parse(settings.topic);
  if (!topic) return environment.console.refuse_usage(topic.error().message);
  return send_messages(environment, settings.message, "publish", kPatience, [&](Bus& bus, Outgoing message) {
    return publish_one(bus, settings, *topic, std::move(message));
  });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("TOPIC", settings->topic, "Topic: type or type/source");
  declare_message_options(options, settings->message);
  return [settings](Environment& environment) { return run_publish(environment, *settings); };
}

}  // namespace publish_verb
}  // namespace

const Verb kPublishVerb{"publish", "Publish an event to a topic",
                        "  parley publish orders.created/eu '{\"text\": \"order 17\"}'\n"
                        "  tail -f events.jsonl | parley publish orders.created --from-file -",
                        Reach::bus, &publish_verb::declare};

}  // namespace parley::cli
