#include "tests/chaos/fleet.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <poll.h>

#include "libmsg/runtime/worker_runtime.hpp"
#include "tests/chaos/load.hpp"

namespace parley::chaos {
namespace {

constexpr std::chrono::seconds kConnect{20};
constexpr std::chrono::milliseconds kGrace{500};

bool is_crasher(const std::vector<std::string>& flags) { return std::ranges::find(flags, "--crash") != flags.end(); }

}  // namespace

Fleet::Fleet(asio::io_context& io, const Clock& clock, std::filesystem::path program_folder)
    : io_(io), clock_(clock), program_folder_(std::move(program_folder)) {
  // Short, because a socket's path may have 107 bytes only.
  std::string path = "/tmp/parley-chaos-XXXXXX";
  if (::mkdtemp(path.data()) != nullptr) folder_ = path;
}

Fleet::~Fleet() {
  if (folder_.empty()) return;
  cli::kill_suite(folder_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Task<Result<>> Fleet::open(FleetOptions options) {
  if (folder_.empty()) co_return fail(ErrorCode::bad_configuration, "cannot make a folder in /tmp");
  Result<cli::RunDirectory> claimed = cli::RunDirectory::claim(folder_);
  if (!claimed) co_return fail(claimed.error());
  directory_.emplace(std::move(*claimed));
  if (const Result<> recorded = directory_->record(""); !recorded) co_return recorded;

  supervisor::SuitePlan plan;
  plan.broker = "ipc://" + (folder_ / "broker.sock").string();
  plan.policy = options.policy;
  supervisor::PlannedProcess& broker = plan.processes.emplace_back();
  broker.name = "broker";
  broker.role = supervisor::Role::broker;
  broker.command = {(program_folder_ / "parley-broker").string(), "--listen", plan.broker, "--state-dir",
                    (folder_ / "broker").string()};
  broker.command.insert(broker.command.end(), options.broker_flags.begin(), options.broker_flags.end());
  std::vector<std::string> awaited{"broker"};
  for (const auto& [name, flags] : options.workers) {
    supervisor::PlannedProcess& worker = plan.processes.emplace_back();
    worker.name = name;
    worker.command = {(program_folder_ / "parley-chaos").string(), "worker", "--broker", plan.broker};
    worker.command.insert(worker.command.end(), flags.begin(), flags.end());
    if (!is_crasher(flags)) awaited.push_back(name);
  }
  suite_ = std::make_unique<cli::SupervisedSuite>(io_, clock_, folder_, program_folder_);
  if (const Result<> started = suite_->start(plan); !started) co_return started;
  if (const Result<> up = co_await wait_for(awaited); !up) co_return up;
  WorkerRuntimeOptions runtime;
  runtime.name = "chaos";
  runtime.brokers = {plan.broker};
  Result<std::unique_ptr<Runtime>> made = make_worker_runtime(io_, std::move(runtime));
  if (!made) co_return fail(made.error());
  runtime_ = std::move(*made);
  co_return co_await runtime_->start(kConnect);
}

Task<Result<>> Fleet::wait_for(const std::vector<std::string>& processes) {
  const TimePoint deadline = clock_.now() + kConnect;
  for (const std::string& process : processes) {
    for (auto record = record_of(process); !record || !record->view.has_been_ready; record = record_of(process)) {
      if (clock_.now() >= deadline) {
        co_return fail(ErrorCode::timeout, "process '" + process + "' did not become ready");
      }
      co_await pause(io_, std::chrono::milliseconds(10));
    }
  }
  co_return Result<>{};
}

Task<> Fleet::close() {
  if (runtime_) co_await runtime_->stop(kGrace);
  if (suite_) co_await suite_->stop();
}

std::optional<supervisor::ProcessRecord> Fleet::record_of(const std::string& process) const {
  const auto state = supervisor::read_state(folder_);
  if (!state) return std::nullopt;
  for (const supervisor::ProcessRecord& record : state->processes) {
    if (record.view.name == process) return record;
  }
  return std::nullopt;
}

pid_t Fleet::pid_of(const std::string& process) const {
  const auto record = record_of(process);
  return record ? record->id.pid : 0;
}

bool Fleet::signal(const std::string& process, int number) const {
  const auto record = record_of(process);
  if (!record) return false;
  const auto child = supervisor::ChildProcess::adopt(record->id);
  if (!child) return false;
  child->send_signal(number);
  if (number != SIGKILL) return true;
  pollfd ended{child->descriptor(), POLLIN, 0};
  constexpr int kPatienceMs = 5000;
  return ::poll(&ended, 1, kPatienceMs) == 1;
}

Task<std::optional<Duration>> Fleet::time_to_replace(const std::string& process, pid_t before, Duration patience) {
  const TimePoint start = clock_.now();
  while (clock_.now() - start < patience) {
    const auto record = record_of(process);
    const bool is_replaced = record && record->id.pid != 0 && record->id.pid != before &&
                             record->view.state == supervisor::ProcessState::running;
    if (is_replaced) co_return clock_.now() - start;
    co_await pause(io_, std::chrono::milliseconds(10));
  }
  co_return std::nullopt;
}

}  // namespace parley::chaos
