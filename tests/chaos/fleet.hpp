// A real suite for one scenario: supervisor, broker and misbehaving workers as processes, in a folder of its own, and a
// client on its bus. Everything is stopped by close(), and killed by the destructor if that was never reached.
// Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/messages/supervisor.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/supervised_suite.hpp"

namespace parley::chaos {

struct FleetOptions {
  supervisor::PolicyConfig policy;
  std::vector<std::string> broker_flags = {};
  /// Name of each worker and its flags; the first type is its name unless `--type` says otherwise.
  std::vector<std::pair<std::string, std::vector<std::string>>> workers;
};

class Fleet {
 public:
  /// `io` and `clock` must outlive it.
  Fleet(asio::io_context& io, const Clock& clock, std::filesystem::path program_folder);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;
  ~Fleet();

  /// Starts everything, waits for all workers but those that crash at once, and connects.
  Task<Result<>> open(FleetOptions options);
  Task<> close();

  [[nodiscard]] Client& client() { return runtime_->client(); }
  /// What the supervisor has written down; nullopt when it is not there.
  [[nodiscard]] std::optional<supervisor::ProcessRecord> record_of(const std::string& process) const;
  /// Sends a signal to a process; false when it does not run. After SIGKILL it has ended when this returns.
  bool signal(const std::string& process, int number) const;
  /// Completes when the process runs under another pid than `before`; nullopt after `patience`.
  Task<std::optional<Duration>> time_to_replace(const std::string& process, pid_t before, Duration patience);
  [[nodiscard]] pid_t pid_of(const std::string& process) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  Task<Result<>> wait_for(const std::vector<std::string>& processes);

  asio::io_context& io_;
  const Clock& clock_;
  std::filesystem::path program_folder_;
  std::filesystem::path folder_;
  std::optional<cli::RunDirectory> directory_;
  std::unique_ptr<cli::SupervisedSuite> suite_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace parley::chaos
