#include "services/supervisor/local_supervisor.hpp"

#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <csignal>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "broker/shell/file_lock.hpp"
#include "monitoring/log.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/supervisor/bus_link.hpp"
#include "services/supervisor/checkups.hpp"
#include "services/supervisor/fleet_journal.hpp"
#include "services/supervisor/local/local_driver.hpp"
#include "services/supervisor/local/watcher_guard.hpp"

namespace parley::supervisor {
namespace {

using monitoring::log_text;

constexpr const char* kLockFile = "supervisor.lock";
/// A broker cannot be asked how a broker is; one that is held by SIGSTOP for this long does not come back by itself.
constexpr std::chrono::milliseconds kHeldTooLong{2500};
constexpr std::chrono::milliseconds kHoldInterval{500};

class LocalSupervisor final : public DriverObserver {
 public:
  LocalSupervisor(const SupervisorOptions& options, SuitePlan plan, const Clock& clock, Random& random)
      : options_(options),
        plan_(std::move(plan)),
        clock_(clock),
        policy_(plan_.policy, random),
        journal_(plan_.node, clock),
        signals_(io_, SIGTERM, SIGINT),
        tick_timer_(io_),
        hold_timer_(io_),
        watcher_(io_, options.folder, plan_.watcher, [this] { stop_all("the watcher is gone"); }) {}

  Result<> run() {
    auto driver = LocalDriver::make(io_, options_.folder);
    if (!driver) return fail(driver.error());
    driver_ = std::move(*driver);
    driver_->observe(*this);
    if (Result<> connected = make_bus(); !connected) return connected;
    if (Result<> served = serve_health(); !served) return served;
    spdlog::info("event=supervisor_started node={} pid={} metrics_port={}", plan_.node, ::getpid(), server_->port());
    take_over();
    signals_.async_wait([this](std::error_code failure, int) {
      if (!failure) stop_all("asked to stop");
    });
    bus_->start();
    watch_for_holds();
    if (!options_.is_stop_only) watcher_.start();
    perform();
    std::cout << nlohmann::json{{"event", "ready"}, {"name", "supervisor"}, {"metrics_port", server_->port()}}.dump()
              << std::endl;
    io_.run();
    return outcome_;
  }

  // DriverObserver
  void on_started(const std::string& process) override {
    memories_[process].last_pid = driver_->id_of(process).pid;
    checkups_.forget(process);
    policy_.on_started(process, clock_.now());
    perform();
  }
  void on_ready(const std::string& process) override {
    policy_.on_ready(process, clock_.now());
    perform();
  }
  void on_ended(const std::string& process, const ProcessEnd& end,
                const std::vector<std::string>& last_lines) override {
    Memory& memory = memories_[process];
    memory.last_lines = last_lines;
    memory.is_hopeless = end.is_hopeless();
    memory.problem = end.str();
    for (const std::string& line : last_lines) memory.problem += "\n  " + line;
    policy_.on_ended(process, end, clock_.now());
    perform();
  }

 private:
  /// What is remembered about a process beside the policy.
  struct Memory {
    std::vector<std::string> last_lines;
    std::string problem;
    bool is_hopeless = false;
    std::optional<TimePoint> held_since;
    pid_t last_pid = 0;  ///< of the newest one that ran
  };

  Result<> make_bus() {
    BusEvents events;
    events.on_broker = [this](bool is_there) {
      policy_.on_broker(is_there, clock_.now());
      perform();
    };
    events.on_ps = [this](const wire::PsReport& report) { take_ps(report); };
    events.on_list = [this](const messages::SupervisorList& list) { return report_of(list); };
    events.on_order = [this](const messages::SupervisorOrder& order) { return follow(order); };
    auto bus = BusLink::make(io_, clock_, {plan_.node, plan_.broker, plan_.is_insecure_allowed}, std::move(events));
    if (!bus) return fail(bus.error());
    bus_ = std::move(*bus);
    return {};
  }

  Result<> serve_health() {
    monitoring::MetricsServerOptions server;
    server.address = options_.metrics_address;
    server.port = options_.metrics_port;
    server.is_ready = [this] { return std::string(is_stopping_ ? "the supervisor is stopping" : ""); };
    auto started = monitoring::MetricsServer::start(std::move(server), {&board_, &process_metrics_}, clock_);
    if (!started) return fail(started.error());
    server_ = std::move(*started);
    return {};
  }

  /// Puts every process of the plan into the policy: adopted where an earlier supervisor has left one, else to be
  /// started.
  void take_over() {
    const std::optional<SuiteState> earlier = read_state(options_.folder);
    // Before anything is started: whoever finds this file knows that there may be processes.
    const TimePoint now = clock_.now();
    if (earlier) {
      PolicyMemory memory = earlier->memory;
      memory.grow_older(std::chrono::milliseconds(std::max<std::int64_t>(0, wall_ms() - earlier->written_ms)));
      policy_.remember(std::move(memory), now);
    }
    for (const PlannedProcess& process : plan_.processes) {
      const ProcessRecord* record = nullptr;
      if (earlier) {
        const auto found = std::ranges::find(earlier->processes, process.name,
                                             [](const ProcessRecord& candidate) { return candidate.view.name; });
        if (found != earlier->processes.end()) record = &*found;
      }
      driver_->add(process, record != nullptr ? record->log_offset : 0);
      if (record == nullptr) {
        policy_.add(process.name, process.role, now);
        continue;
      }
      Memory& memory = memories_[process.name];
      memory.problem = record->problem;
      memory.is_hopeless = record->is_hopeless;
      journal_.adopt_restarts(process.name, record->view.restarts);
      policy_.adopt(record->view, driver_->adopt(process.name, record->id, record->metrics_port), now);
    }
    save();
    if (options_.is_stop_only || (earlier && earlier->is_stopping)) stop_all("resumed");
  }

  void stop_all(const char* why) {
    if (!is_stopping_.exchange(true)) spdlog::info("event=supervisor_stopping reason=\"{}\"", why);
    watcher_.stop();
    policy_.stop_all(clock_.now());
    perform();
  }

  /// Does what the policy has decided, until it has nothing more to say; then writes down what came of it.
  void perform() {
    for (auto actions = policy_.take_actions(); !actions.empty(); actions = policy_.take_actions()) {
      for (const Action& action : actions) carry_out(action);
    }
    save();
    journal_.count_restarts(policy_.processes());
    board_.post(journal_.numbers(policy_.processes()));
    if (policy_.is_all_stopped()) return finish();
    tick_timer_.cancel();
    const auto next = policy_.next_tick();
    if (!next) return;
    tick_timer_.expires_at(*next);
    tick_timer_.async_wait([this](std::error_code failure) {
      if (failure) return;
      policy_.tick(clock_.now());
      perform();
    });
  }

  void carry_out(const Action& action) {
    switch (action.kind) {
      case Action::Kind::start:
        return driver_->start(action.process);
      case Action::Kind::stop:
        return driver_->stop(action.process);
      case Action::Kind::kill:
        return driver_->kill(action.process);
      case Action::Kind::find_culprits:
        return checkups_.inquire(action.process, memories_[action.process].last_pid, clock_.now());
      case Action::Kind::quarantine_agent:
        return bus_->quarantine(action.agent, action.reason);
      case Action::Kind::report:
        return report(action);
    }
  }

  void report(const Action& action) {
    bus_->publish(journal_.note(action, policy_.processes(), memories_[action.process].last_lines));
  }

  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall_now().time_since_epoch().count(); }

  void save() {
    SuiteState state;
    state.supervisor = identify(::getpid());
    state.is_stopping = is_stopping_;
    state.memory = policy_.memory(clock_.now());
    state.written_ms = wall_ms();
    for (ProcessView& view : policy_.processes()) {
      const Memory& memory = memories_[view.name];
      const std::string name = view.name;
      state.processes.push_back({std::move(view), driver_->id_of(name), driver_->log_offset_of(name),
                                 driver_->metrics_port_of(name), memory.problem, memory.is_hopeless});
    }
    write_targets(state);
    if (const Result<> written = write_state(options_.folder, state); !written) {
      spdlog::error("event=state_not_written reason={}", log_text(written.error().message));
    }
  }

  void write_targets(const SuiteState& state) {
    MetricsPages pages{{"supervisor", server_->port()}};
    for (const ProcessRecord& record : state.processes) {
      if (record.metrics_port != 0) pages.emplace_back(record.view.name, record.metrics_port);
    }
    std::string text = targets_text(plan_.node, pages);
    if (text == targets_) return;
    if (const Result<> written = write_atomically(options_.folder / kTargetsFile, text); !written) {
      spdlog::error("event=targets_not_written reason={}", log_text(written.error().message));
    }
    targets_ = std::move(text);
  }

  void finish() {
    if (std::exchange(is_finished_, true)) return;
    tick_timer_.cancel();
    bus_->stop([this] {
      std::error_code ignored;
      std::filesystem::remove(options_.folder / kTargetsFile, ignored);
      std::filesystem::remove(options_.folder / kStateFile, ignored);
      spdlog::info("event=supervisor_stopped node={}", plan_.node);
      io_.stop();
    });
  }

  void take_ps(const wire::PsReport& report) {
    const TimePoint now = clock_.now();
    std::vector<RunningProcess> running;
    for (const ProcessView& view : policy_.processes()) {
      if (view.state != ProcessState::running) continue;
      const pid_t pid = driver_->id_of(view.name).pid;
      memories_[view.name].last_pid = pid;
      running.push_back({view.name, pid, is_stopped_by_signal(pid)});
    }
    for (const auto& [process, checkup] : checkups_.look(report, running, now)) {
      policy_.on_checkup(process, checkup, now);
    }
    for (const Checkups::Finding& finding : checkups_.findings(now)) {
      policy_.on_culprits(finding.process, finding.executing, now);
    }
    perform();
  }

  void watch_for_holds() {
    const TimePoint now = clock_.now();
    for (const ProcessView& view : policy_.processes()) {
      if (view.role != Role::broker) continue;
      std::optional<TimePoint>& since = memories_[view.name].held_since;
      const bool is_held = view.state == ProcessState::running && is_stopped_by_signal(driver_->id_of(view.name).pid);
      if (!is_held) since.reset();
      if (is_held && !since) since = now;
      if (!since || now - *since < kHeldTooLong) continue;
      policy_.on_checkup(view.name, {true, true, "held by a signal (SIGSTOP)"}, now);
      perform();
    }
    hold_timer_.expires_after(kHoldInterval);
    hold_timer_.async_wait([this](std::error_code failure) {
      if (!failure) watch_for_holds();
    });
  }

  [[nodiscard]] messages::SupervisorReport report_of(const messages::SupervisorList& list) const {
    messages::SupervisorReport report =
        journal_.report(list, policy_.processes(), [this](messages::SupervisedProcess& row) {
          row.pid = driver_->id_of(row.name).pid;
          row.log = driver_->log_of(row.name).string();
        });
    report.quarantined_agents = bus_->quarantined_agents();
    return report;
  }

  Result<messages::SupervisorDone> follow(const messages::SupervisorOrder& order) {
    Result<messages::SupervisorDone> done = supervisor::carry_out(order, policy_, clock_.now());
    // After the reply: an order may stop what carries it.
    if (done) asio::post(io_, [this] { perform(); });
    return done;
  }

  const SupervisorOptions& options_;
  SuitePlan plan_;
  const Clock& clock_;
  asio::io_context io_{1};
  Policy policy_;
  Checkups checkups_;
  FleetJournal journal_;
  std::map<std::string, Memory> memories_;
  std::string targets_;  ///< as written last
  std::unique_ptr<LocalDriver> driver_;
  std::unique_ptr<BusLink> bus_;
  monitoring::NumberBoard board_;
  monitoring::ProcessMetrics process_metrics_{"parley-supervisor"};
  std::unique_ptr<monitoring::MetricsServer> server_;
  asio::signal_set signals_;
  asio::steady_timer tick_timer_;
  asio::steady_timer hold_timer_;
  WatcherGuard watcher_;
  Result<> outcome_;
  std::atomic<bool> is_stopping_ = false;  ///< the health page's thread reads it
  bool is_finished_ = false;
};

}  // namespace

Result<> run_local_supervisor(const SupervisorOptions& options, const Clock& clock, Random& random) {
  auto lock = broker::FileLock::try_lock(options.folder / kLockFile);
  if (!lock) return fail(lock.error());
  if (!*lock) {
    return fail(ErrorCode::refused, fmt::format("another supervisor runs in {}", options.folder.string()));
  }
  Result<SuitePlan> plan = read_plan(options.folder);
  if (!plan) return fail(plan.error());
  return LocalSupervisor(options, std::move(*plan), clock, random).run();
}

}  // namespace parley::supervisor
