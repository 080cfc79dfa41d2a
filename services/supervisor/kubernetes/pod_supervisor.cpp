#include "services/supervisor/kubernetes/pod_supervisor.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "monitoring/log.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/supervisor/bus_link.hpp"
#include "services/supervisor/checkups.hpp"
#include "services/supervisor/fleet_journal.hpp"
#include "services/supervisor/kubernetes/pod_follower.hpp"
#include "services/supervisor/kubernetes/pod_table.hpp"
#include "services/supervisor/local/suite_files.hpp"
#include "services/supervisor/memory_json.hpp"

namespace parley::supervisor {
namespace {

using monitoring::log_text;

/// A pod whose worker the broker has lost may be on its way back over a network that was broken, or be restarted by the
/// kubelet, which tells later.
constexpr std::chrono::seconds kAbsence{30};
/// Nothing good comes of asking a sick worker to drain for long.
constexpr std::chrono::seconds kSickPodGrace{5};
constexpr std::chrono::seconds kKillGrace{1};
constexpr std::chrono::seconds kSweepInterval{30};

class PodSupervisor {
 public:
  PodSupervisor(const PodSupervisorOptions& options, const Clock& clock, Random& random)
      : options_(options),
        clock_(clock),
        policy_(options.policy, random),
        checkups_(kAbsence),
        journal_(options.node, clock),
        api_(http::CurlMulti::make(io_), clock, options.api),
        follower_(io_, api_, random, news()),
        signals_(io_, SIGTERM, SIGINT),
        tick_timer_(io_),
        sweep_timer_(io_) {}

  Result<> run() {
    remember();
    if (Result<> connected = make_bus(); !connected) return connected;
    if (Result<> served = serve_health(); !served) return served;
    spdlog::info("event=supervisor_started node={} pid={} metrics_port={} namespace={} selector={}", options_.node,
                 ::getpid(), server_->port(), options_.api.name_space, log_text(options_.api.selector));
    signals_.async_wait([this](std::error_code failure, int) {
      if (!failure) stop();
    });
    bus_->start();
    asio::co_spawn(io_, follower_.run(), asio::detached);
    sweep();
    perform();
    std::cout << nlohmann::json{{"event", "ready"}, {"name", "supervisor"}, {"metrics_port", server_->port()}}.dump()
              << std::endl;
    io_.run();
    return {};
  }

 private:
  PodNews news() {
    return {.on_list =
                [this](const std::vector<Pod>& pods) {
                  has_list_ = true;
                  take(table_.replace(pods, clock_.now()));
                },
            .on_change = [this](const Pod& pod) { take(table_.update(pod, clock_.now())); },
            .on_delete = [this](const Pod& pod) { take(table_.remove(pod.uid, clock_.now())); },
            .on_api =
                [this](bool is_there, const std::string& reason) {
                  is_api_there_ = is_there;
                  report({Action::Kind::report, "", "", is_there ? "api_back" : "api_away", reason});
                }};
  }

  Result<> make_bus() {
    BusEvents events;
    events.on_broker = [this](bool is_there) {
      policy_.on_broker(is_there, clock_.now());
      perform();
    };
    events.on_ps = [this](const wire::PsReport& report) { take_ps(report); };
    events.on_list = [this](const messages::SupervisorList& list) { return report_of(list); };
    events.on_order = [this](const messages::SupervisorOrder& order) { return follow(order); };
    auto bus =
        BusLink::make(io_, clock_, {options_.node, options_.broker, options_.is_insecure_allowed}, std::move(events));
    if (!bus) return fail(bus.error());
    bus_ = std::move(*bus);
    return {};
  }

  Result<> serve_health() {
    monitoring::MetricsServerOptions server;
    server.address = options_.metrics_address;
    server.port = options_.metrics_port;
    server.is_ready = [this] {
      if (!has_list_) return std::string("the Kubernetes API has not told about any pods yet");
      return std::string(is_api_there_ ? "" : "the Kubernetes API does not answer");
    };
    auto started = monitoring::MetricsServer::start(std::move(server), {&board_, &process_metrics_}, clock_);
    if (!started) return fail(started.error());
    server_ = std::move(*started);
    return {};
  }

  // --- Pods ----------------------------------------------------------------------------------------------------------

  void take(const std::vector<SlotEvent>& events) {
    const TimePoint now = clock_.now();
    for (const SlotEvent& event : events) {
      switch (event.kind) {
        case SlotEvent::Kind::added:
          policy_.add(event.slot, Role::worker, now);
          break;
        case SlotEvent::Kind::started:
          checkups_.forget(event.slot);
          policy_.on_started(event.slot, now);
          break;
        case SlotEvent::Kind::ready:
          policy_.on_ready(event.slot, now);
          break;
        case SlotEvent::Kind::ended:
          policy_.on_ended(event.slot, event.end, now);
          break;
        case SlotEvent::Kind::removed:
          policy_.remove(event.slot);
          break;
      }
    }
    if (!events.empty()) perform();
  }

  /// A pod that stayed while its slot was in quarantine has nothing new to tell when the quarantine ends.
  void bring_up_to_date() {
    const TimePoint now = clock_.now();
    for (const ProcessView& view : policy_.processes()) {
      const Pod* const pod = table_.pod_in(view.name);
      if (pod == nullptr || !pod->is_running) continue;
      if (view.state == ProcessState::waiting) policy_.on_started(view.name, now);
      const bool is_up = view.state == ProcessState::waiting || view.state == ProcessState::starting;
      if (is_up && pod->is_ready) policy_.on_ready(view.name, now);
    }
  }

  void remove_pod(const std::string& slot, std::optional<std::chrono::seconds> grace) {
    const Pod* const pod = table_.pod_in(slot);
    if (pod == nullptr) {
      // It went by itself a moment ago.
      asio::post(io_, [this, slot] {
        policy_.on_ended(slot, {ProcessEnd::Kind::exited, 0, ""}, clock_.now());
        perform();
      });
      return;
    }
    asio::co_spawn(io_, send_removal(slot, *pod, grace), asio::detached);
  }

  Task<> send_removal(std::string slot, Pod pod, std::optional<std::chrono::seconds> grace) {
    const Result<> removed = co_await api_.remove(pod.name, pod.uid, grace);
    if (removed) {
      spdlog::info("event=pod_deleted process={} pod={}", slot, pod.name);
      refusals_.erase(slot);
      co_return;
    }
    // The policy tries again; the same reason is told once.
    if (std::exchange(refusals_[slot], removed.error().message) == removed.error().message) co_return;
    spdlog::error("event=pod_not_deleted process={} pod={} reason={}", slot, pod.name,
                  log_text(removed.error().message));
  }

  void sweep() {
    take(table_.forget_empty(clock_.now()));
    sweep_timer_.expires_after(kSweepInterval);
    sweep_timer_.async_wait([this](std::error_code failure) {
      if (!failure) sweep();
    });
  }

  // --- Decisions -----------------------------------------------------------------------------------------------------

  void perform() {
    bring_up_to_date();
    bool has_acted = false;
    for (auto actions = policy_.take_actions(); !actions.empty(); actions = policy_.take_actions()) {
      has_acted = true;
      for (const Action& action : actions) carry_out(action);
      bring_up_to_date();
    }
    journal_.count_restarts(policy_.processes());
    board_.post(journal_.numbers(policy_.processes()));
    if (has_acted) save();
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
        return;  // The workload does that.
      case Action::Kind::stop:
        return remove_pod(action.process,
                          journal_.is_sick(action.process) ? std::optional(kSickPodGrace) : std::nullopt);
      case Action::Kind::kill:
        return remove_pod(action.process, kKillGrace);
      case Action::Kind::find_culprits:
        return checkups_.inquire(action.process, 0, clock_.now());
      case Action::Kind::quarantine_agent:
        return bus_->quarantine(action.agent, action.reason);
      case Action::Kind::report:
        return report(action);
    }
  }

  void report(const Action& action) { bus_->publish(journal_.note(action, policy_.processes(), {})); }

  void take_ps(const wire::PsReport& report) {
    const TimePoint now = clock_.now();
    std::vector<RunningProcess> running;
    for (const ProcessView& view : policy_.processes()) {
      const Pod* const pod = table_.pod_in(view.name);
      if (view.state != ProcessState::running || pod == nullptr) continue;
      running.push_back({.name = view.name, .pid = 0, .is_held = false, .peer = pod->name});
    }
    for (const auto& [process, checkup] : checkups_.look(report, running, now)) {
      policy_.on_checkup(process, checkup, now);
    }
    for (const Checkups::Finding& finding : checkups_.findings(now)) {
      policy_.on_culprits(finding.process, finding.executing, now);
    }
    perform();
  }

  // --- Operators -----------------------------------------------------------------------------------------------------

  [[nodiscard]] messages::SupervisorReport report_of(const messages::SupervisorList& list) const {
    messages::SupervisorReport report = journal_.report(list, policy_.processes(), [](messages::SupervisedProcess&) {});
    report.quarantined_agents = bus_->quarantined_agents();
    return report;
  }

  /// People see the pods' names, so those are understood, too.
  Result<messages::SupervisorDone> follow(messages::SupervisorOrder order) {
    for (const std::string& slot : table_.slots()) {
      const Pod* const pod = table_.pod_in(slot);
      if (pod != nullptr && pod->name == order.process) order.process = slot;
    }
    Result<messages::SupervisorDone> done = supervisor::carry_out(order, policy_, clock_.now());
    // After the reply, as for local processes.
    if (done) asio::post(io_, [this] { perform(); });
    return done;
  }

  // --- Memory --------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall_now().time_since_epoch().count(); }

  void remember() {
    if (options_.state_file.empty()) return;
    std::ifstream file(options_.state_file);
    if (!file) return;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    try {
      const auto value = nlohmann::json::parse(text);
      PolicyMemory memory = memory_from_json(value.at("memory"));
      const std::int64_t written = value.at("written_ms");
      memory.grow_older(std::chrono::milliseconds(std::max<std::int64_t>(0, wall_ms() - written)));
      policy_.remember(std::move(memory), clock_.now());
    } catch (const nlohmann::json::exception& failure) {
      spdlog::warn("event=state_unreadable file={} reason={}", options_.state_file.string(), log_text(failure.what()));
    }
  }

  void save() const {
    if (options_.state_file.empty()) return;
    const nlohmann::json value{{"memory", to_json(policy_.memory(clock_.now()))}, {"written_ms", wall_ms()}};
    if (const Result<> written = write_atomically(options_.state_file, value.dump() + "\n"); !written) {
      spdlog::error("event=state_not_written reason={}", log_text(written.error().message));
    }
  }

  void stop() {
    tick_timer_.cancel();
    sweep_timer_.cancel();
    bus_->stop([this] {
      spdlog::info("event=supervisor_stopped node={}", options_.node);
      io_.stop();
    });
  }

  const PodSupervisorOptions& options_;
  const Clock& clock_;
  asio::io_context io_{1};
  Policy policy_;
  PodTable table_;
  Checkups checkups_;
  FleetJournal journal_;
  PodApi api_;
  PodFollower follower_;
  std::map<std::string, std::string> refusals_;  ///< why a slot's pod could not be deleted
  std::unique_ptr<BusLink> bus_;
  monitoring::NumberBoard board_;
  monitoring::ProcessMetrics process_metrics_{"parley-supervisor"};
  std::unique_ptr<monitoring::MetricsServer> server_;
  asio::signal_set signals_;
  asio::steady_timer tick_timer_;
  asio::steady_timer sweep_timer_;
  // The health page's thread reads these.
  std::atomic<bool> has_list_ = false;
  std::atomic<bool> is_api_there_ = true;
};

}  // namespace

Result<> run_pod_supervisor(const PodSupervisorOptions& options, const Clock& clock, Random& random) {
  return PodSupervisor(options, clock, random).run();
}

}  // namespace parley::supervisor
