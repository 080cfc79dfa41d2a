#include "services/supervisor/local_supervisor.hpp"

#include <asio/steady_timer.hpp>
#include <atomic>
#include <map>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "broker/shell/file_lock.hpp"
#include "monitoring/log.hpp"
#include "services/supervisor/fleet.hpp"
#include "services/supervisor/local/local_driver.hpp"
#include "services/supervisor/local/watcher_guard.hpp"

namespace parley::supervisor {
namespace {

using monitoring::log_text;

constexpr const char* kLockFile = "supervisor.lock";
/// A broker cannot be asked how a broker is; one that is held by SIGSTOP for this long does not come back by itself.
constexpr std::chrono::milliseconds kHeldTooLong{2500};
constexpr std::chrono::milliseconds kHoldInterval{500};

class LocalSupervisor final : public DriverObserver, public FleetHands {
 public:
  LocalSupervisor(const SupervisorOptions& options, SuitePlan plan, const Clock& clock, Random& random)
      : options_(options),
        plan_(std::move(plan)),
        clock_(clock),
        hold_timer_(io_),
        watcher_(io_, options.folder, plan_.watcher, [this] { stop_all("the watcher is gone"); }),
        fleet_(io_, clock, random, fleet_options(options, plan_), *this) {}

  Result<> run() {
    auto driver = LocalDriver::make(io_, options_.folder);
    if (!driver) return fail(driver.error());
    driver_ = std::move(*driver);
    driver_->observe(*this);
    if (Result<> opened = fleet_.open(); !opened) return opened;
    spdlog::info("event=supervisor_started node={} pid={} metrics_port={}", plan_.node, ::getpid(),
                 fleet_.metrics_port());
    take_over();
    fleet_.start([this] { stop_all("asked to stop"); });
    watch_for_holds();
    if (!options_.is_stop_only) watcher_.start();
    fleet_.perform();
    fleet_.say_ready();
    io_.run();
    return outcome_;
  }

  // DriverObserver
  void on_started(const std::string& process) override {
    memories_[process].last_pid = driver_->id_of(process).pid;
    fleet_.checkups().forget(process);
    policy().on_started(process, clock_.now());
    fleet_.perform();
  }
  void on_ready(const std::string& process) override {
    policy().on_ready(process, clock_.now());
    fleet_.perform();
  }
  void on_ended(const std::string& process, const ProcessEnd& end,
                const std::vector<std::string>& last_lines) override {
    Memory& memory = memories_[process];
    memory.last_lines = last_lines;
    memory.is_hopeless = end.is_hopeless();
    memory.problem = end.str();
    for (const std::string& line : last_lines) memory.problem += "\n  " + line;
    policy().on_ended(process, end, clock_.now());
    fleet_.perform();
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

  static FleetOptions fleet_options(const SupervisorOptions& options, const SuitePlan& plan) {
    return {.node = plan.node,
            .broker = plan.broker,
            .is_insecure_allowed = plan.is_insecure_allowed || options.is_insecure_allowed,
            .policy = plan.policy,
            .metrics_address = options.metrics_address,
            .metrics_port = options.metrics_port};
  }

  // FleetHands
  void start(const std::string& process) override { driver_->start(process); }
  void stop(const std::string& process) override { driver_->stop(process); }
  void kill(const std::string& process) override { driver_->kill(process); }
  [[nodiscard]] std::int64_t last_pid(const std::string& process) const override {
    const auto memory = memories_.find(process);
    return memory == memories_.end() ? 0 : memory->second.last_pid;
  }
  [[nodiscard]] std::vector<std::string> last_lines(const std::string& process) const override {
    const auto memory = memories_.find(process);
    return memory == memories_.end() ? std::vector<std::string>() : memory->second.last_lines;
  }
  [[nodiscard]] std::vector<RunningProcess> running(const std::vector<ProcessView>& views) override {
    std::vector<RunningProcess> found;
    found.reserve(views.size());
    for (const ProcessView& view : views) {
      if (view.state != ProcessState::running) continue;
      const pid_t pid = driver_->id_of(view.name).pid;
      memories_[view.name].last_pid = pid;
      // The broker does not list itself; watch_for_holds() looks after it.
      if (view.role == Role::broker) continue;
      found.push_back({view.name, pid, is_stopped_by_signal(pid)});
    }
    return found;
  }
  void describe(messages::SupervisedProcess& row) const override {
    row.pid = driver_->id_of(row.name).pid;
    row.log = driver_->log_of(row.name).string();
  }
  [[nodiscard]] std::string process_called(const std::string& name) const override { return name; }
  void prepare() override {}
  void settle(bool /*has_acted*/) override {
    save();
    if (policy().is_all_stopped()) finish();
  }
  [[nodiscard]] std::string why_not_ready() const override { return is_stopping_ ? "the supervisor is stopping" : ""; }

  [[nodiscard]] Policy& policy() { return fleet_.policy(); }

  /// Puts every process of the plan into the policy: adopted where an earlier supervisor has left one, else to be
  /// started.
  void take_over() {
    const std::optional<SuiteState> earlier = read_state(options_.folder);
    // Before anything is started: whoever finds this file knows that there may be processes.
    const TimePoint now = clock_.now();
    if (earlier) {
      PolicyMemory memory = earlier->memory;
      memory.grow_older(std::chrono::milliseconds(std::max<std::int64_t>(0, wall_ms() - earlier->written_ms)));
      policy().remember(std::move(memory), now);
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
        policy().add(process.name, process.role, now);
        continue;
      }
      Memory& memory = memories_[process.name];
      memory.problem = record->problem;
      memory.is_hopeless = record->is_hopeless;
      fleet_.journal().adopt_restarts(process.name, record->view.restarts);
      policy().adopt(record->view, driver_->adopt(process.name, record->id, record->metrics_port), now);
    }
    save();
    if (options_.is_stop_only || (earlier && earlier->is_stopping)) stop_all("resumed");
  }

  void stop_all(const char* why) {
    if (!is_stopping_.exchange(true)) spdlog::info("event=supervisor_stopping reason=\"{}\"", why);
    watcher_.stop();
    policy().stop_all(clock_.now());
    fleet_.perform();
  }

  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall_now().time_since_epoch().count(); }

  void save() {
    SuiteState state;
    state.supervisor = identify(::getpid());
    state.is_stopping = is_stopping_;
    state.memory = policy().memory(clock_.now());
    state.written_ms = wall_ms();
    for (ProcessView& view : policy().processes()) {
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
    MetricsPages pages{{"supervisor", fleet_.metrics_port()}};
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
    fleet_.stop([this] {
      std::error_code ignored;
      std::filesystem::remove(options_.folder / kTargetsFile, ignored);
      std::filesystem::remove(options_.folder / kStateFile, ignored);
      spdlog::info("event=supervisor_stopped node={}", plan_.node);
      io_.stop();
    });
  }

  void watch_for_holds() {
    const TimePoint now = clock_.now();
    for (const ProcessView& view : policy().processes()) {
      if (view.role != Role::broker) continue;
      std::optional<TimePoint>& since = memories_[view.name].held_since;
      const bool is_held = view.state == ProcessState::running && is_stopped_by_signal(driver_->id_of(view.name).pid);
      if (!is_held) since.reset();
      if (is_held && !since) since = now;
      if (!since || now - *since < kHeldTooLong) continue;
      policy().on_checkup(view.name, {true, true, "held by a signal (SIGSTOP)"}, now);
      fleet_.perform();
    }
    hold_timer_.expires_after(kHoldInterval);
    hold_timer_.async_wait([this](std::error_code failure) {
      if (!failure) watch_for_holds();
    });
  }

  const SupervisorOptions& options_;
  SuitePlan plan_;
  const Clock& clock_;
  asio::io_context io_{1};
  std::map<std::string, Memory> memories_;
  std::string targets_;  ///< as written last
  std::unique_ptr<LocalDriver> driver_;
  asio::steady_timer hold_timer_;
  WatcherGuard watcher_;
  Result<> outcome_;
  std::atomic<bool> is_stopping_ = false;  ///< the health page's thread reads it
  bool is_finished_ = false;
  Fleet fleet_;
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
