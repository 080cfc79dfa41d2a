// One run of code from its start to the moment when nothing of it is left: feeds what the processes do to RunWatch and
// kills them at the first broken limit. Loop thread.
#pragma once

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "agents/sandbox/run_request.hpp"
#include "agents/sandbox/run_watch.hpp"
#include "agents/sandbox/sandboxed_process.hpp"
#include "agents/sandbox/work_folder.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/suspend.hpp"

namespace parley::sandbox {

struct RunPlan {
  Launch launch;
  SandboxLimits limits;  ///< with this run's own wall time
  std::vector<File> files;
  std::optional<uid_t> run_as;
  /// Kept as long as the run.
  std::shared_ptr<WorkFolder> folder;
};

class SandboxRun : public std::enable_shared_from_this<SandboxRun> {
 public:
  SandboxRun(asio::any_io_executor executor, RunPlan plan, SandboxedProcess process);

  /// `done` is called once, when every process of the run has ended. A sandbox that was not set up is
  /// `bad_configuration`, with what bubblewrap said.
  void start(Resume<Result<RunResult>> done);
  /// Kills; the result is then `cancelled`.
  void cancel();

 private:
  using Stream = asio::posix::stream_descriptor;
  /// Standard output or error.
  struct Output {
    explicit Output(Stream opened) : stream(std::move(opened)) {}
    Stream stream;
    std::array<char, 16384> piece{};
    std::string kept;
    bool is_at_end = false;
  };

  [[nodiscard]] Stream watched(Descriptor& descriptor) const;
  void read(Output& output);
  void read_status();
  void wait_for_control();
  void wait_for_end();
  void wait_for_first_end();
  void wait_until_set_up();

  void begin_if_ready();
  Result<> begin();
  void look();
  void stop(std::optional<Error> why);
  void finish_if_over();
  [[nodiscard]] Result<RunResult> make_result();
  [[nodiscard]] Error set_up_failure() const;

  asio::any_io_executor executor_;
  RunPlan plan_;
  SandboxedProcess process_;
  RunWatch watch_;
  Output out_;
  Output err_;
  Stream control_;
  Stream status_;
  Stream end_;
  std::optional<Stream> first_end_;
  asio::steady_timer deadline_;
  asio::steady_timer looks_;
  std::array<char, 1024> status_piece_{};
  std::string status_text_;
  Resume<Result<RunResult>> done_;
  /// The folders in the sandbox that can be written, the work folder first.
  std::vector<Descriptor> writable_;
  std::optional<Error> failure_;
  int exit_code_ = 0;
  bool is_set_up_ = false;  ///< the sandbox stands and waits for the word to go
  bool has_begun_ = false;  ///< the code runs, or has run
  bool has_ended_ = false;  ///< bubblewrap
  bool has_first_ended_ = false;
};

}  // namespace parley::sandbox
