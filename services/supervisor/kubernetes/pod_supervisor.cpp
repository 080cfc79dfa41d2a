#include "services/supervisor/kubernetes/pod_supervisor.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "monitoring/log.hpp"
#include "services/supervisor/fleet.hpp"
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

class PodSupervisor final : public FleetHands {
 public:
  PodSupervisor(const PodSupervisorOptions& options, const Clock& clock, Random& random)
      : options_(options),
        clock_(clock),
        api_(http::CurlMulti::make(io_), clock, options.api),
        follower_(io_, api_, random, news()),
        sweep_timer_(io_),
        fleet_(io_, clock, random, fleet_options(options), *this) {}

  Result<> run() {
    remember();
    if (Result<> opened = fleet_.open(); !opened) return opened;
    spdlog::info("event=supervisor_started node={} pid={} metrics_port={} namespace={} selector={}", options_.node,
                 ::getpid(), fleet_.metrics_port(), options_.api.name_space, log_text(options_.api.selector));
    fleet_.start([this] { end(); });
    asio::co_spawn(io_, follower_.run(), asio::detached);
    sweep();
    fleet_.perform();
    fleet_.say_ready();
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
                  fleet_.report({Action::Kind::report, "", "", is_there ? "api_back" : "api_away", reason});
                }};
  }

  static FleetOptions fleet_options(const PodSupervisorOptions& options) {
    return {.node = options.node,
            .broker = options.broker,
            .is_insecure_allowed = options.is_insecure_allowed,
            .policy = options.policy,
            .absence = kAbsence,
            .metrics_address = options.metrics_address,
            .metrics_port = options.metrics_port};
  }

  // --- FleetHands ----------------------------------------------------------------------------------------------------

  /// The workload does that.
  void start(const std::string& /*process*/) override {}
  void stop(const std::string& process) override {
    remove_pod(process, fleet_.journal().is_sick(process) ? std::optional(kSickPodGrace) : std::nullopt);
  }
  void kill(const std::string& process) override { remove_pod(process, kKillGrace); }
  [[nodiscard]] std::int64_t last_pid(const std::string& /*process*/) const override { return 0; }
  [[nodiscard]] std::vector<std::string> last_lines(const std::string& /*process*/) const override { return {}; }
  [[nodiscard]] std::vector<RunningProcess> running(const std::vector<ProcessView>& views) override {
    std::vector<RunningProcess> found;
    found.reserve(views.size());
    for (const ProcessView& view : views) {
      const Pod* const pod = table_.pod_in(view.name);
      if (view.state != ProcessState::running || pod == nullptr) continue;
      found.push_back({.name = view.name, .pid = 0, .is_held = false, .peer = pod->name});
    }
    return found;
  }
  void describe(messages::SupervisedProcess& row) const override {
    if (const Pod* const pod = table_.pod_in(row.name)) row.peer = pod->name;
  }
  /// People see the pods' names, so those are understood, too.
  [[nodiscard]] std::string process_called(const std::string& name) const override {
    for (const std::string& slot : table_.slots()) {
      const Pod* const pod = table_.pod_in(slot);
      if (pod != nullptr && pod->name == name) return slot;
    }
    return name;
  }
  void prepare() override { bring_up_to_date(); }
  void settle(bool has_acted) override {
    if (has_acted) save();
  }
  [[nodiscard]] std::string why_not_ready() const override {
    if (!has_list_) return "the Kubernetes API has not told about any pods yet";
    return is_api_there_ ? "" : "the Kubernetes API does not answer";
  }

  // --- Pods ----------------------------------------------------------------------------------------------------------

  void take(const std::vector<SlotEvent>& events) {
    const TimePoint now = clock_.now();
    for (const SlotEvent& event : events) {
      switch (event.kind) {
        case SlotEvent::Kind::added:
          policy().add(event.slot, Role::worker, now);
          break;
        case SlotEvent::Kind::started:
          fleet_.checkups().forget(event.slot);
          policy().on_started(event.slot, now);
          break;
        case SlotEvent::Kind::ready:
          policy().on_ready(event.slot, now);
          break;
        case SlotEvent::Kind::ended:
          policy().on_ended(event.slot, event.end, now);
          break;
        case SlotEvent::Kind::removed:
          policy().remove(event.slot);
          break;
      }
    }
    if (!events.empty()) fleet_.perform();
  }

  /// A pod that stayed while its slot was in quarantine has nothing new to tell when the quarantine ends.
  void bring_up_to_date() {
    const TimePoint now = clock_.now();
    for (const ProcessView& view : policy().processes()) {
      const Pod* const pod = table_.pod_in(view.name);
      if (pod == nullptr || !pod->is_running) continue;
      if (view.state == ProcessState::waiting) policy().on_started(view.name, now);
      const bool is_up = view.state == ProcessState::waiting || view.state == ProcessState::starting;
      if (is_up && pod->is_ready) policy().on_ready(view.name, now);
    }
  }

  void remove_pod(const std::string& slot, std::optional<std::chrono::seconds> grace) {
    const Pod* const pod = table_.pod_in(slot);
    if (pod == nullptr) {
      // It went by itself a moment ago.
      asio::post(io_, [this, slot] {
        policy().on_ended(slot, {ProcessEnd::Kind::exited, 0, ""}, clock_.now());
        fleet_.perform();
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
      policy().remember(std::move(memory), clock_.now());
    } catch (const nlohmann::json::exception& failure) {
      spdlog::warn("event=state_unreadable file={} reason={}", options_.state_file.string(), log_text(failure.what()));
    }
  }

  void save() {
    if (options_.state_file.empty()) return;
    const nlohmann::json value{{"memory", to_json(policy().memory(clock_.now()))}, {"written_ms", wall_ms()}};
    if (const Result<> written = write_atomically(options_.state_file, value.dump() + "\n"); !written) {
      spdlog::error("event=state_not_written reason={}", log_text(written.error().message));
    }
  }

  void end() {
    sweep_timer_.cancel();
    fleet_.stop([this] {
      spdlog::info("event=supervisor_stopped node={}", options_.node);
      io_.stop();
    });
  }

  [[nodiscard]] Policy& policy() { return fleet_.policy(); }

  const PodSupervisorOptions& options_;
  const Clock& clock_;
  asio::io_context io_{1};
  PodTable table_;
  PodApi api_;
  PodFollower follower_;
  std::map<std::string, std::string> refusals_;  ///< why a slot's pod could not be deleted
  asio::steady_timer sweep_timer_;
  // The health page's thread reads these.
  std::atomic<bool> has_list_ = false;
  std::atomic<bool> is_api_there_ = true;
  Fleet fleet_;
};

}  // namespace

Result<> run_pod_supervisor(const PodSupervisorOptions& options, const Clock& clock, Random& random) {
  return PodSupervisor(options, clock, random).run();
}

}  // namespace parley::supervisor
