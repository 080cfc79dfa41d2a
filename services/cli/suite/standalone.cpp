#include "services/cli/suite/standalone.hpp"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "agents/host/deployment.hpp"
#include "agents/host/span_export.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/chat_loop.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/suite/standalone_ledger.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kDrainTime{5000};

/// One process keeps what its workers would keep together.
HostLimits limits_of(const host::SuiteConfig& suite) {
  HostLimits sum{.max_activations = 0, .max_saved_states = 0, .max_saved_bytes = 0};
  for (const host::SuiteWorker& worker : suite.workers) {
    sum.max_activations += worker.config.limits.max_activations;
    sum.max_saved_states += worker.config.limits.max_saved_states;
    sum.max_saved_bytes += worker.config.limits.max_saved_bytes;
  }
  return sum;
}

/// Everything that the process hosts, in the order in which it may end.
struct Standalone {
  const Environment& environment;
  const host::SuiteConfig& suite;
  const std::optional<AgentId>& chat_agent;  ///< unset: nobody talks
  SystemClock clock = {};
  SystemRandom random = {};
  asio::io_context io{1};
  std::unique_ptr<StandaloneLedger> ledger = nullptr;
  std::shared_ptr<telemetry::OtlpExporter> exporter = nullptr;  ///< shared with runtime and models; null: off
  host::Deployment deployment{io, clock, random};
  LocalRuntime runtime{io, {.limits = limits_of(suite)}};
  std::optional<int> signal = std::nullopt;

  Task<int> run() {
    const Result<> hosted = co_await host_agents();
    if (!hosted) co_return environment.console.fail(hosted.error());
    int code = kDone;
    try {
      Task<int> work = chat_agent ? chat() : wait_for_ever();
      code = co_await std::move(work);
    } catch (const std::exception&) {
      // After Ctrl-C: asio's operation_aborted, or its multiple_exceptions when two waits were aborted together.
      if (!signal) throw;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await runtime.stop(kDrainTime);
    co_await deployment.stop(host::kToolGrace);
    if (exporter) co_await exporter->stop(host::kSpanGrace);
    if (signal) co_return *signal == SIGINT ? kInterrupted : kDone;
    co_return code;
  }

 private:
  Task<Result<>> host_agents() {
    Result<> started = co_await runtime.start();
    if (!started) co_return started;
    if (ledger) {
      Result<> hosted = co_await ledger->host(runtime);
      if (!hosted) co_return hosted;
    }
    std::size_t agents = 0;
    for (const host::SuiteWorker& worker : suite.workers) {
      Result<> deployed = co_await deployment.deploy(runtime, worker.config);
      if (!deployed) co_return deployed;
      agents += worker.config.agents.size();
    }
    environment.console.note(fmt::format("hosting {} agent types in this process, without a broker", agents));
    co_return Result<>{};
  }

  Task<int> chat() {
    ChatLinkOptions options;
    options.agent = *chat_agent;
    // Others answer by replies.
    if (chat_agent->type() == kUserProxyType) options.reply_topic = "chat.replies";
    ChatLink link(io, runtime, clock, random, std::move(options));
    const Result<> opened = co_await link.open();
    if (!opened) co_return environment.console.fail(opened.error());
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
    if (is_terminal) {
      environment.console.note(
          fmt::format("talking to {}; END ends the conversation, Ctrl-D leaves", chat_agent->type()));
    }
    LineSource lines(io, STDIN_FILENO);
    const ChatLoopOptions loop{environment.common.is_json, chat_agent->type()};
    const int code = co_await chat_loop(link, lines, is_terminal, environment.console, clock, loop);
    co_await link.close();
    co_return code;
  }

  Task<int> wait_for_ever() {
    environment.console.note("Ctrl-C stops; --chat talks to them");
    asio::steady_timer never(io, asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
    co_return kDone;
  }
};

}  // namespace

int run_standalone(const Environment& environment, const host::SuiteConfig& suite,
                   const std::filesystem::path& ledger_folder, const std::optional<AgentId>& chat) {
  Standalone standalone{.environment = environment, .suite = suite, .chat_agent = chat};
  if (suite.budgets) {
    auto ledger = StandaloneLedger::make(standalone.io, standalone.clock, *suite.budgets, ledger_folder);
    if (!ledger) return environment.console.fail(ledger.error());
    standalone.ledger = std::move(*ledger);
  }
  auto exporter = host::start_span_exporter(standalone.io, standalone.clock, standalone.random,
                                            host::shared_telemetry(suite), "standalone");
  if (!exporter) return environment.console.fail(exporter.error());
  standalone.exporter = std::move(*exporter);
  standalone.deployment.set_span_sink(standalone.exporter);
  standalone.runtime.set_span_sink(standalone.exporter);
  for (const host::SuiteWorker& worker : suite.workers) {
    if (const Result<> prepared = standalone.deployment.prepare(worker.config); !prepared) {
      return environment.console.fail(prepared.error());
    }
  }
  return run_until_done(standalone.io, standalone.run(), [&standalone](int signal) {
    standalone.signal = signal;
    return AtSignal::cancel;
  });
}

}  // namespace parley::cli
