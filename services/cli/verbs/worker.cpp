// parley worker drain|restart: one worker process.
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <utility>

#include "libmsg/messages/supervisor.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace worker_verb {

struct Settings {
  std::string worker;
  std::string reason;
  std::string node = "local";
};

Task<int> drain(Bus& bus, const Settings& settings) {
  wire::Operate order{.what = "drain", .key = settings.worker, .reason = settings.reason};
  const Result<wire::OperateReport> report = co_await bus.runtime.operate(std::move(order));
  if (!report) co_return bus.console.fail_answer(report.error());
  if (bus.common.is_json) {
    bus.console.print(to_line({{"did", "drain"}, {"worker", report->worker}, {"affected", report->affected}}));
  } else {
    bus.console.print(printable(
        fmt::format("{} gets no new agents; {} leave it as their work ends", report->worker, report->affected)));
  }
  co_return kDone;
}

/// The supervisor that started the process starts it again.
Task<int> restart(Bus& bus, const Settings& settings) {
  const Result<Target> target = Target::parse(fmt::format("{}/{}", messages::kSupervisorType, settings.node));
  if (!target) co_return bus.console.fail(target.error());
  const messages::SupervisorOrder order{.what = "restart", .process = settings.worker};
  CallOptions call;
  call.timeout = bus.time_left();
  const Result<Payload> answer = co_await bus.client.request(*target, to_payload(order), std::move(call));
  if (!answer) co_return bus.console.fail_answer(answer.error());
  const auto done = wire::decode_body<messages::SupervisorDone>(as_bytes(answer->bytes));
  if (!done) co_return bus.console.fail_answer(done.error());
  if (bus.common.is_json) {
    bus.console.print(to_line({{"did", "restart"}, {"worker", settings.worker}, {"text", done->text}}));
  } else {
    bus.console.print(printable(done->text));
  }
  co_return kDone;
}

Run declare_drain(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("WORKER", settings->worker, "Name of the worker, as 'parley ps' shows it");
  options.option("--reason", settings->reason, "TEXT", "Why, for the broker's log");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "worker drain"}, [&](Bus& bus) { return drain(bus, *settings); });
  };
}

Run declare_restart(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("WORKER", settings->worker, "Name of the process, as its supervisor knows it");
  options.option("--node", settings->node, "NAME", "Node of the supervisor (default: local)");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "worker restart"}, [&](Bus& bus) { return restart(bus, *settings); });
  };
}

}  // namespace worker_verb
}  // namespace

const Verb kWorkerDrainVerb{"worker drain", "Let a worker finish what it has and give it nothing new",
                            "  parley worker drain hr-1", Reach::bus, &worker_verb::declare_drain};
const Verb kWorkerRestartVerb{"worker restart", "Have the supervisor stop a worker in good order and start it again",
                              "  parley worker restart hr-1", Reach::bus, &worker_verb::declare_restart};

}  // namespace parley::cli
