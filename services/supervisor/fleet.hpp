// What a supervisor does whatever runs its processes: what happens goes to the policy, what the policy decides to the
// hands, and both to the log, the bus and the metrics page. Main thread, which becomes the loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/metrics_server.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "services/supervisor/bus_link.hpp"
#include "services/supervisor/checkups.hpp"
#include "services/supervisor/fleet_journal.hpp"
#include "services/supervisor/policy.hpp"
#include "services/supervisor/quarantine_watch.hpp"

namespace parley::supervisor {

/// What differs: local processes, or pods.
class FleetHands {
 public:
  FleetHands() = default;
  FleetHands(const FleetHands&) = delete;
  FleetHands& operator=(const FleetHands&) = delete;
  virtual ~FleetHands() = default;

  virtual void start(const std::string& process) = 0;
  /// Asks it to end in good order.
  virtual void stop(const std::string& process) = 0;
  virtual void kill(const std::string& process) = 0;

  /// Of the newest process of that name; 0: it says nothing.
  [[nodiscard]] virtual std::int64_t last_pid(const std::string& process) const = 0;
  /// Of its output, oldest first.
  [[nodiscard]] virtual std::vector<std::string> last_lines(const std::string& process) const = 0;
  /// Those that the broker should know.
  [[nodiscard]] virtual std::vector<RunningProcess> running(const std::vector<ProcessView>& views) = 0;
  /// Adds to a list's row what only the hands know.
  virtual void describe(messages::SupervisedProcess& row) const = 0;
  /// What an operator calls a process, as the policy calls it.
  [[nodiscard]] virtual std::string process_called(const std::string& name) const = 0;

  /// Before the policy is asked what to do: the last chance to tell it something.
  virtual void prepare() = 0;
  /// Everything that was decided is under way.
  virtual void settle(bool has_acted) = 0;
  /// Empty: ready. On the metrics page's thread.
  [[nodiscard]] virtual std::string why_not_ready() const = 0;
};

struct FleetOptions {
  /// It answers as `sys.supervisor/<node>`.
  std::string node;
  std::string broker;
  bool is_insecure_allowed = false;
  PolicyConfig policy;
  /// How long the broker may not see a process that runs.
  Duration absence = Checkups::kAbsence;
  std::string metrics_address;
  std::uint16_t metrics_port = 0;
};

/// Declare it after what the hands use: the metrics page asks until its end.
class Fleet {
 public:
  /// All that is borrowed must outlive it.
  Fleet(asio::io_context& io, const Clock& clock, Random& random, FleetOptions options, FleetHands& hands);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// Connects to the bus and serves the metrics page. Fails with `bad_configuration` or `invalid`. What follows is for
  /// after it.
  Result<> open();
  /// Looks at the broker from now on; `on_asked_to_stop` is called once, at SIGTERM or Ctrl-C.
  void start(std::function<void()> on_asked_to_stop);
  /// The line on standard output for whoever has started the supervisor.
  void say_ready() const;
  /// Does what the policy has decided, until it has nothing more to say.
  void perform();
  /// Tells the log, the metrics and the bus.
  void report(const Action& action);
  /// Says goodbye to the broker, then calls `then`.
  void stop(std::function<void()> then);

  [[nodiscard]] Policy& policy() { return policy_; }
  [[nodiscard]] const Policy& policy() const { return policy_; }
  [[nodiscard]] Checkups& checkups() { return checkups_; }
  [[nodiscard]] FleetJournal& journal() { return journal_; }
  [[nodiscard]] std::uint16_t metrics_port() const { return server_->port(); }

 private:
  Result<> make_bus();
  Result<> serve_health();
  void carry_out(const Action& action);
  void take_ps(const wire::PsReport& report);
  [[nodiscard]] messages::SupervisorReport report_of(const messages::SupervisorList& list) const;
  Result<messages::SupervisorDone> follow(messages::SupervisorOrder order);

  asio::io_context& io_;
  const Clock& clock_;
  FleetOptions options_;
  FleetHands& hands_;
  Policy policy_;
  Checkups checkups_;
  FleetJournal journal_;
  QuarantineWatch quarantine_watch_;
  std::unique_ptr<BusLink> bus_;
  monitoring::NumberBoard board_;
  monitoring::ProcessMetrics process_metrics_{"parley-supervisor"};
  std::unique_ptr<monitoring::MetricsServer> server_;
  asio::signal_set signals_;
  asio::steady_timer tick_timer_;
};

}  // namespace parley::supervisor
