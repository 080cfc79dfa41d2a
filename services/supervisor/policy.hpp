// What a supervisor decides: when a process is started, stopped, killed, restarted or put in quarantine, and which
// agent id is to blame. Events and the time go in, actions come out (take_actions()); it opens nothing and reads no
// clock, so that hours of a fleet's life are tested in milliseconds. A driver acts: posix_spawn or Kubernetes.
//
// States of a process:
//   waiting → starting → running → (stopping →) waiting (failed), stopped (operator) or quarantined (failed too often)
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"
#include "services/supervisor/crash_history.hpp"
#include "services/supervisor/policy_config.hpp"
#include "services/supervisor/policy_memory.hpp"
#include "services/supervisor/process_end.hpp"
#include "services/supervisor/suspects.hpp"

namespace parley::supervisor {

enum class ProcessState : std::uint8_t { waiting, starting, running, stopping, stopped, quarantined };
[[nodiscard]] std::string_view name_of(ProcessState state);

enum class Role : std::uint8_t { broker, worker };

/// What is known about a running process's health.
struct Checkup {
  bool should_restart = false;
  /// Nothing is heard from it: then the agents that it was executing are not to blame.
  bool is_silent = false;
  std::string reason;
};

/// One thing to do or to tell.
struct Action {
  enum class Kind : std::uint8_t {
    start,             ///< `process`
    stop,              ///< ask `process` to end in good order
    kill,              ///< `process`, with everything that it started
    find_culprits,     ///< tell on_culprits() what `process` was executing when it ended
    find_lost_work,    ///< the same, if the broker has lost it; nothing if it left in good order
    quarantine_agent,  ///< tell the broker to hold back the messages for `agent`
    report,            ///< `event` happened: log, metric, topic
  };
  Kind kind = Kind::report;
  std::string process;
  std::string agent;
  std::string event;
  std::string reason;

  friend bool operator==(const Action&, const Action&) = default;
};

/// One process as others see it.
struct ProcessView {
  std::string name;
  Role role = Role::worker;
  ProcessState state = ProcessState::waiting;
  std::uint64_t restarts = 0;
  TimePoint since;                      ///< in this state
  std::optional<TimePoint> next_start;  ///< when one is due
  std::string reason;
  bool has_failed = false;  ///< since it was added
  bool has_been_ready = false;
};

class Policy {
 public:
  /// `random` must outlive it.
  Policy(PolicyConfig config, Random& random);
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  ~Policy();

  /// What an earlier run of the supervisor has remembered; before processes are added or adopted.
  void remember(PolicyMemory earlier, TimePoint now);
  [[nodiscard]] PolicyMemory memory(TimePoint now) const;

  // Processes, in the order in which they start. Names are unique.
  /// To be started (or, with Starter::platform, expected) now.
  void add(std::string name, Role role, TimePoint now);
  /// One that an earlier run of the supervisor started; `has_run` tells whether it is still there.
  void adopt(const ProcessView& earlier, bool is_alive, TimePoint now);
  /// It is gone for good.
  void remove(std::string_view name);

  // What the driver tells. Unknown names are ignored: the news may be older than a remove().
  void on_started(std::string_view name, TimePoint now);
  void on_ready(std::string_view name, TimePoint now);
  void on_ended(std::string_view name, const ProcessEnd& end, TimePoint now);
  /// The answer to Action::find_culprits, perhaps some time later: the agent ids that it was handling when it ended. An
  /// answer that was not asked for is ignored.
  void on_culprits(std::string_view name, const std::vector<std::string>& executing, TimePoint now);
  void on_checkup(std::string_view name, const Checkup& checkup, TimePoint now);
  /// While the broker is away nothing is restarted for its health, and nobody's start times out.
  void on_broker(bool is_there, TimePoint now);
  void tick(TimePoint now);

  // What an operator asks for. Fail with `unknown_agent_type` (no such process) or `refused` (not in this state).
  Result<> restart(std::string_view name, TimePoint now);
  Result<> drain(std::string_view name, TimePoint now);
  Result<> quarantine(std::string_view name, TimePoint now);
  Result<> release(std::string_view name, TimePoint now);
  /// Workers first, all at once, then the broker; nothing is started any more.
  void stop_all(TimePoint now);

  [[nodiscard]] std::vector<Action> take_actions();
  /// When tick() has something to do; nullopt: only after another event.
  [[nodiscard]] std::optional<TimePoint> next_tick() const;
  [[nodiscard]] std::vector<ProcessView> processes() const;
  [[nodiscard]] bool is_all_stopped() const;

 private:
  /// Why a process is being stopped, which is what becomes of it afterwards.
  enum class Stop : std::uint8_t { sick, order, drain, quarantine, follow, shutdown };
  struct Process;

  Process* find(std::string_view name);
  Result<Process*> find_known(std::string_view name);
  void enter(Process& process, ProcessState state, TimePoint now);
  void start_due(TimePoint now);
  [[nodiscard]] bool may_start(const Process& process) const;
  [[nodiscard]] bool has_room() const;
  void begin_stop(Process& process, Stop why, Duration grace, std::string reason, TimePoint now);
  void settle_stop(Process& process, TimePoint now);
  Result<> put_away(std::string_view name, Stop why, TimePoint now);
  /// A failure has ended: by itself (`agent_crashed`), or because the process was stopped for its health.
  void fail(Process& process, std::string_view event, const std::string& reason, TimePoint now);
  void restart_followers(const Process& failed, TimePoint now);
  void wait_for_start(Process& process, Duration delay, TimePoint now);
  void enter_quarantine(Process& process, const std::string& reason, bool gets_probe, TimePoint now);
  Process& make_process(ProcessView view, TimePoint now);
  void find_culprits(Process& process, const ProcessEnd& end);
  void ask_for_culprits(Process& process, Action::Kind how);
  void stop_next(TimePoint now);
  void act(Action::Kind kind, const Process& process);
  void report(std::string event, const Process& process, std::string reason);

  PolicyConfig config_;
  Random& random_;
  std::vector<std::unique_ptr<Process>> processes_;  ///< behind pointers: a Process refers to config_ and stays put
  Suspects suspects_;
  std::vector<CrashRecord> remembered_;  ///< of processes that are not there yet
  std::vector<Action> actions_;
  bool is_broker_there_ = true;
  bool is_stopping_ = false;
};

}  // namespace parley::supervisor
