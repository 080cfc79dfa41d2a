// parley chat [TYPE[/KEY]]: talk to an agent.
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "services/cli/bus_session.hpp"
#include "services/cli/chat_loop.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace chat_verb {

constexpr std::chrono::milliseconds kPatience{120'000};

struct Settings {
  std::optional<std::string> agent;
  std::optional<std::string> session;
  std::optional<std::string> topic;
  std::optional<std::string> transcript;
};

/// Without a TYPE it is the user proxy, which answers on a topic; a named agent answers by replies.
Result<ChatLinkOptions> link_options(Bus& bus, const Settings& settings) {
  const std::string session = settings.session.value_or("cli-" + random_hex(bus.random, 8));
  const std::string text = settings.agent.value_or(std::string(kUserProxyType));
  const bool has_key = text.find('/') != std::string::npos;
  if (has_key && settings.session)
    return fail(ErrorCode::invalid, "give the key behind TYPE/ or with --session, not both");
  const Result<AgentId> agent = has_key ? AgentId::parse(text) : AgentId::make(text, session);
  if (!agent) return fail(agent.error());
  ChatLinkOptions options{*agent, settings.topic, bus.common.timeout.value_or(kPatience)};
  if (!settings.agent && !settings.topic) options.reply_topic = "chat.replies." + random_hex(bus.random, 12);
  if (options.reply_topic && !is_valid_topic_type(*options.reply_topic)) {
    return fail(ErrorCode::invalid,
                fmt::format("--topic: '{}' is no topic type: letters, digits and _ . - : =", *options.reply_topic));
  }
  return options;
}

Task<int> chat(Bus& bus, const Settings& settings, ChatTranscript* transcript) {
  Result<ChatLinkOptions> options = link_options(bus, settings);
  if (!options) co_return bus.console.refuse_usage(options.error().message);
  const std::string agent = options->agent.type();
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
  if (is_terminal) {
    bus.console.note(fmt::format("talking to {}; END ends the conversation, Ctrl-D leaves", options->agent.str()));
  }
  ChatLink link(bus.io, bus.runtime, bus.clock, bus.random, std::move(*options));
  const Result<> opened = co_await link.open();
  if (!opened) co_return bus.console.fail_answer(opened.error());
  LineSource lines(bus.io, STDIN_FILENO);
  const ChatLoopOptions loop{bus.common.is_json, agent, transcript};
  const int code = co_await chat_loop(link, lines, is_terminal, bus.console, bus.clock, loop);
  co_await link.close();
  if (transcript != nullptr) bus.console.note("transcript in " + transcript->file().string());
  co_return code;
}

int run_chat(Environment& environment, const Settings& settings) {
  std::optional<ChatTranscript> transcript;
  if (settings.transcript) {
    Result<ChatTranscript> opened = ChatTranscript::open(*settings.transcript);
    if (!opened) return environment.console.refuse_usage(opened.error().message);
    transcript.emplace(std::move(*opened));
  }
  ChatTranscript* const kept = transcript ? &*transcript : nullptr;
  return run_on_bus(environment, {.purpose = "chat", .default_timeout = kPatience},
                    [&settings, kept](Bus& bus) { return chat(bus, settings, kept); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("AGENT", settings->agent,
                   "Agent: type or type/key (default: the user proxy, which finds the right one)");
  options.option("--session", settings->session, "NAME",
                 "Name of the conversation: the agent's key (default: a new one)");
  options.option("--topic", settings->topic, "TYPE", "Send one-way and take the answers from this topic type");
  options.option("--transcript", settings->transcript, "FILE",
                 "Write every exchange to FILE.md, or as JSON a line to FILE.jsonl");
  return [settings](Environment& environment) { return run_chat(environment, *settings); };
}

}  // namespace chat_verb
}  // namespace

const Verb kChatVerb{"chat", "Talk to an agent: lines in, answers out",
                     "  parley chat\n"
                     "  printf 'How much leave do I have?\\nEND\\n' | parley chat --session alice\n"
                     "  parley chat hr/alice --transcript talk.md",
                     Reach::bus, &chat_verb::declare};

}  // namespace parley::cli
