#include "agents/sandbox/sandbox.hpp"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "agents/sandbox/sandbox_run.hpp"
#include "agents/sandbox/seccomp_filter.hpp"
#include "agents/sandbox/state_folder.hpp"

namespace parley::sandbox {
namespace {

namespace fs = std::filesystem;

/// `nobody`, as whom root's sandboxes run.
constexpr uid_t kNobody = 65534;

std::unexpected<Error> missing(const fs::path& program, const std::string& package) {
  return fail(ErrorCode::bad_configuration,
              "the sandbox cannot be set up: " + program.string() + " is not there (Debian package " + package + ")");
}

bool is_program(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0; }

Result<> check_programs(const Host& host, const SandboxOptions& options) {
  if (!is_program(host.bwrap)) return missing(host.bwrap, "bubblewrap");
  if (!is_program(host.prlimit)) return missing(host.prlimit, "util-linux");
  if (host.run_as && !is_program(host.setpriv)) return missing(host.setpriv, "util-linux");
  if (std::ranges::count(options.languages, Language::python) > 0 && !is_program(host.python)) {
    return missing(host.python, "python3");
  }
  for (const fs::path& path : options.read_only) {
    if (::access(path.c_str(), F_OK) == 0) continue;
    return fail(ErrorCode::bad_configuration, "the sandbox is to show " + path.string() + ", which is not there");
  }
  return {};
}

Host look_at_host(const SandboxOptions& options) {
  Host host;
  host.bwrap = options.bwrap;
  host.python = options.python;
  host.read_only = options.read_only;
  if (!is_program(host.shell)) host.shell = "/bin/sh";
  if (::geteuid() == 0) host.run_as = kNobody;
  for (const char* name : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code ignored;
    if (fs::is_symlink(name, ignored)) {
      host.root_links.emplace_back(name, fs::read_symlink(name, ignored).string());
    } else if (fs::is_directory(name, ignored)) {
      host.root_folders.emplace_back(name);
    }
  }
  return host;
}

/// Fails unless the walls stand: no network but its own, no privileges, a filter, a root that cannot be written.
constexpr const char* kShellProbe = R"sh(
grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/self/status || { echo "privileges can be gained"; exit 1; }
grep -q '^Seccomp:[[:space:]]*2$' /proc/self/status || { echo "no system call filter"; exit 1; }
grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status || { echo "capabilities are left"; exit 1; }
[ "$(wc -l < /proc/net/route)" = 1 ] || { echo "there is a network"; exit 1; }
[ "$(id -u)" = 1000 ] || { echo "not the sandbox's user"; exit 1; }
if (: > /usr/probe || : > /probe || : > /etc/probe) 2>/dev/null; then echo "the root can be written"; exit 1; fi
echo probe > probe
)sh";

constexpr const char* kPythonProbe = R"py(
import os
assert os.getuid() == 1000, "not the sandbox's user"
assert not os.access("/usr", os.W_OK), "the root can be written"
open("probe", "w").write("probe\n")
)py";

/// Runs the coroutine to its end on a loop of its own.
Result<RunResult> run_blocking(Sandbox& sandbox, RunRequest request, std::shared_ptr<WorkFolder> folder) {
  asio::io_context io;
  std::optional<Result<RunResult>> result;
  asio::co_spawn(io, sandbox.run(std::move(request), std::move(folder)),
                 [&result](const std::exception_ptr&, Result<RunResult> value) { result = std::move(value); });
  io.run();
  if (!result) return fail(ErrorCode::bad_configuration, "the sandbox's probe did not end");
  return std::move(*result);
}

}  // namespace

Result<std::shared_ptr<Sandbox>> Sandbox::open(SandboxOptions options) {
  Host host = look_at_host(options);
  Result<> checked = check_programs(host, options);
  if (!checked) return fail(std::move(checked).error());
  Result<std::string> filter = make_seccomp_filter();
  if (!filter) return fail(std::move(filter).error());
  Result<StateFolder> state = make_state_folder(options.folder.empty() ? default_state_folder() : options.folder);
  if (!state) return fail(std::move(state).error());
  host.etc = state->path / "etc";
  std::shared_ptr<Sandbox> sandbox(new Sandbox(std::move(options), std::move(host), std::move(*filter),
                                               std::move(state->path), std::move(state->lock)));
  Result<> probed = sandbox->probe();
  if (!probed) return fail(std::move(probed).error());
  return sandbox;
}

Sandbox::Sandbox(SandboxOptions options, Host host, std::string filter, fs::path folder, Descriptor lock)
    : options_(std::move(options)),
      host_(std::move(host)),
      seccomp_filter_(std::move(filter)),
      folder_(std::move(folder)),
      lock_(std::move(lock)),
      places_(options_.max_concurrent) {}

Sandbox::~Sandbox() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Result<> Sandbox::probe() {
  for (const Language language : options_.languages) {
    Result<> probed = probe(language);
    if (!probed) return probed;
  }
  return {};
}

Result<> Sandbox::probe(Language language) {
  Result<std::shared_ptr<WorkFolder>> folder = make_folder();
  if (!folder) return fail(std::move(folder).error());
  RunRequest request;
  request.language = language;
  request.code = language == Language::python ? kPythonProbe : kShellProbe;
  const Result<RunResult> result = run_blocking(*this, std::move(request), *folder);
  if (!result) {
    return fail(ErrorCode::bad_configuration,
                result.error().message + " (agents/sandbox/README.md says what the machine must allow)");
  }
  const bool is_good = result->is_success() && result->files.size() == 1 && result->files.front().bytes == "probe\n";
  if (is_good) return {};
  return fail(ErrorCode::bad_configuration, "the sandbox cannot be set up: " + std::string(to_string(language)) +
                                                " in it ended with " + std::to_string(result->exit_code) + ": " +
                                                result->out + result->err);
}

bool Sandbox::has(Language language) const { return std::ranges::count(options_.languages, language) > 0; }

Result<std::shared_ptr<WorkFolder>> Sandbox::make_folder() {
  return WorkFolder::make(folder_ / ("w" + std::to_string(++last_folder_)));
}

Result<> Sandbox::check(const RunRequest& request) const {
  if (!has(request.language)) {
    return fail(ErrorCode::invalid, std::string(to_string(request.language)) + " code is not allowed here");
  }
  if (request.code.size() > kMaxCodeBytes) return fail(ErrorCode::too_large, "the code is larger than 1 MiB");
  std::size_t bytes = 0;
  for (const File& file : request.files) {
    bytes += file.bytes.size();
    if (!is_valid_file_name(file.name)) {
      return fail(ErrorCode::invalid, "'" + file.name + "' is no file name: expected a relative path without '..'");
    }
  }
  if (bytes > options_.limits.work_bytes) {
    return fail(ErrorCode::too_large, "the files are larger than the work folder may be");
  }
  return {};
}

Task<Result<RunResult>> Sandbox::run(RunRequest request, std::shared_ptr<WorkFolder> folder) {
  const Result<> checked = check(request);
  if (!checked) co_return fail(checked.error());
  const Result<Slots::Place> own_turn = co_await folder->turn().acquire();
  if (!own_turn) co_return fail(own_turn.error());
  const Result<Slots::Place> place = co_await places_.acquire();
  if (!place) co_return fail(place.error());

  RunPlan plan;
  plan.limits = options_.limits;
  if (request.wall_time) plan.limits.wall_time = std::min(plan.limits.wall_time, *request.wall_time);
  plan.launch.command = bwrap_command(host_, plan.limits, request.language);
  plan.launch.seccomp_filter = seccomp_filter_;
  plan.launch.code = std::move(request.code);
  plan.files = std::move(request.files);
  plan.run_as = host_.run_as;
  plan.folder = std::move(folder);
  Result<SandboxedProcess> process = SandboxedProcess::start(plan.launch);
  if (!process) co_return fail(process.error());
  const TimePoint begun = clock_.now();
  auto run = std::make_shared<SandboxRun>(co_await asio::this_coro::executor, std::move(plan), std::move(*process));
  // The run owns this coroutine while it waits, so nothing here may own the run: it lives by the handlers of the loop,
  // and goes, with all of its processes, when the loop does.
  auto start = [run = std::move(run)](Resume<Result<RunResult>> done, asio::cancellation_slot slot) mutable {
    const std::shared_ptr<SandboxRun> running = std::move(run);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(running)](asio::cancellation_type) {
        if (const auto still_running = weak.lock()) still_running->cancel();
      });
    }
    running->start(std::move(done));
  };
  Result<RunResult> result = co_await suspend<Result<RunResult>>(std::move(start));
  if (result) result->took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - begun);
  co_return result;
}

}  // namespace parley::sandbox
