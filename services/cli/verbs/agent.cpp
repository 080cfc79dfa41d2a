// parley agent where|evict|quarantine|release: one agent, or one agent type.
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <utility>

#include "libmsg/core/ids.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"
#include "services/cli/where_view.hpp"

namespace parley::cli {
namespace {
namespace agent_verb {

struct Settings {
  std::string key;
  std::string reason;
};

Task<int> where(Bus& bus, const std::string& key) {
  wire::Query query{.what = "where", .key = key};
  const Result<wire::WhereReport> place = co_await query_broker<wire::WhereReport>(bus.runtime, std::move(query));
  if (!place) co_return bus.console.fail_answer(place.error());
  ToldActivation told;
  if (!place->worker.empty()) {
    wire::Query question{.what = "activation", .key = place->id};
    told = co_await query_broker<wire::ActivationReport>(bus.runtime, std::move(question));
  }
  if (bus.common.is_json) {
    bus.console.print(to_line(where_to_json(*place, told)));
  } else {
    const auto now_ms = static_cast<std::uint64_t>(bus.clock.wall_now().time_since_epoch().count());
    for (const std::string& line : render_where(*place, told, now_ms)) bus.console.print(line);
  }
  co_return place->worker.empty() ? kFailed : kDone;
}

/// What to print for a person once it is done.
std::string sentence(const std::string& what, const wire::OperateReport& report) {
  if (what == "quarantine") return fmt::format("{} is quarantined", report.key);
  if (what == "release") return fmt::format("{} is released; {} messages were refused", report.key, report.affected);
  return fmt::format("{} was evicted from {}", report.key, report.worker);
}

Task<int> operate(Bus& bus, std::string what, const Settings& settings) {
  wire::Operate order{.what = what, .key = settings.key, .reason = settings.reason};
  const Result<wire::OperateReport> report = co_await bus.runtime.operate(std::move(order));
  if (!report) co_return bus.console.fail_answer(report.error());
  if (bus.common.is_json) {
    bus.console.print(
        to_line({{"did", what}, {"key", report->key}, {"worker", report->worker}, {"affected", report->affected}}));
  } else {
    bus.console.print(printable(sentence(what, *report)));
  }
  co_return kDone;
}

int run_operate(Environment& environment, const std::string& what, const Settings& settings) {
  const bool is_id = settings.key.contains('/');
  const bool is_valid = is_id ? AgentId::parse(settings.key).has_value() : is_valid_agent_type(settings.key);
  if (!is_valid) {
    return environment.console.refuse_usage(
        fmt::format("'{}': expected an agent type, or an agent id as type/key", settings.key));
  }
  return run_on_bus(environment, {.purpose = "agent " + what}, [&](Bus& bus) { return operate(bus, what, settings); });
}

Run declare_where(Options& options) {
  auto key = std::make_shared<std::string>();
  options.argument("AGENT", *key, "Agent id, as type/key");
  return [key](Environment& environment) {
    return run_on_bus(environment, {.purpose = "agent where"}, [&](Bus& bus) { return where(bus, *key); });
  };
}

Run declare_operation(Options& options, const std::string& what, const std::string& about) {
  auto settings = std::make_shared<Settings>();
  options.argument("AGENT", settings->key, about);
  options.option("--reason", settings->reason, "TEXT", "Why, for those who meet it and for the broker's log");
  return [settings, what](Environment& environment) { return run_operate(environment, what, *settings); };
}

}  // namespace agent_verb
}  // namespace

const Verb kAgentWhereVerb{"agent where",
                           "Tell which worker an agent lives on and how it is; exit 1 when it lives nowhere",
                           "  parley agent where hr/alice", Reach::bus, &agent_verb::declare_where};
const Verb kAgentEvictVerb{"agent evict", "Have its worker drop an agent; the next message makes it anew",
                           "  parley agent evict hr/alice", Reach::bus, [](Options& options) {
                             return agent_verb::declare_operation(options, "evict", "Agent id, as type/key");
                           }};
const Verb kAgentQuarantineVerb{
    "agent quarantine", "Take an agent or an agent type out of service: its messages are answered 'quarantined'",
    "  parley agent quarantine hr/alice --reason 'answers nonsense'\n  parley agent quarantine hr", Reach::bus,
    [](Options& options) { return agent_verb::declare_operation(options, "quarantine", "Agent id, or agent type"); }};
const Verb kAgentReleaseVerb{"agent release", "Put a quarantined agent or agent type back into service",
                             "  parley agent release hr/alice", Reach::bus, [](Options& options) {
                               return agent_verb::declare_operation(options, "release", "Agent id, or agent type");
                             }};

}  // namespace parley::cli
