// Runs Python and shell code where it can do no harm: in bubblewrap, without a network, without the host's processes
// and files, within limits; README.md of this folder says what is kept from what. It really runs something when it is
// opened, and is not there where that fails: there is no way to run code without the sandbox.
//
//     Result<std::shared_ptr<Sandbox>> sandbox = Sandbox::open({});
//     Result<RunResult> result = co_await (*sandbox)->run({Language::python, "print(6 * 7)"}, folder);
//
// Loop thread; open() before the loop runs, since it blocks for some tens of milliseconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agents/sandbox/bwrap_command.hpp"
#include "agents/sandbox/descriptor.hpp"
#include "agents/sandbox/limits.hpp"
#include "agents/sandbox/run_request.hpp"
#include "agents/sandbox/slots.hpp"
#include "agents/sandbox/work_folder.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::sandbox {

struct SandboxOptions {
  SandboxLimits limits;
  std::vector<Language> languages{Language::python, Language::shell};
  /// Runs at once; up to Slots::kMaxWaiting others wait.
  std::size_t max_concurrent = 4;
  std::filesystem::path python = "/usr/bin/python3";
  /// Further files and folders of the host that code may read, for example a virtual environment.
  std::vector<std::filesystem::path> read_only = {};
  /// Where work folders are kept; empty: /tmp/parley-sandbox-<user id>.
  std::filesystem::path folder = {};
  std::filesystem::path bwrap = "/usr/bin/bwrap";
};

class Sandbox {
 public:
  static constexpr std::size_t kMaxCodeBytes = std::size_t{1} << 20U;

  /// Fails with `bad_configuration` and what is missing where the sandbox cannot be set up.
  static Result<std::shared_ptr<Sandbox>> open(SandboxOptions options);
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  /// Runs code on the files of a work folder. Code that fails or breaks a limit is a result, too. Fails with `invalid`
  /// (language, size, a file's name), `overloaded`, `cancelled` (Asio cancellation of the awaiting coroutine; nothing
  /// of the code is left then) and `upstream_failed`.
  Task<Result<RunResult>> run(RunRequest request, std::shared_ptr<WorkFolder> folder);
  /// A new, empty work folder; it goes when nobody holds it any more.
  Result<std::shared_ptr<WorkFolder>> make_folder();

  [[nodiscard]] const SandboxOptions& options() const { return options_; }
  [[nodiscard]] bool has(Language language) const;

 private:
  Sandbox(SandboxOptions options, Host host, std::string filter, std::filesystem::path folder, Descriptor lock);
  [[nodiscard]] Result<> probe();
  [[nodiscard]] Result<> probe(Language language);
  [[nodiscard]] Result<> check(const RunRequest& request) const;

  SandboxOptions options_;
  Host host_;
  std::string seccomp_filter_;
  /// Of this sandbox alone; the lock says that it is in use.
  std::filesystem::path folder_;
  Descriptor lock_;
  std::uint64_t last_folder_ = 0;
  Slots places_;
  SystemClock clock_;
};

}  // namespace parley::sandbox
