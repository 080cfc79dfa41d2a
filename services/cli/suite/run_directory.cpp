#include "services/cli/suite/run_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "libmsg/net/endpoint.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::cli {
namespace {

constexpr const char* kLockFile = "up.lock";

Result<> make_private(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot make the run directory {}: {}", folder.string(), std::strerror(errno)));
  }
  struct stat about{};
  if (::lstat(folder.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != ::geteuid()) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("the run directory {} is not a folder of yours", folder.string()));
  }
  return {};
}

std::unexpected<Error> already_running(const std::filesystem::path& folder) {
  return fail(ErrorCode::refused,
              fmt::format("a suite is already running in {} (stop it with 'parley down', or choose another --run-dir)",
                          folder.string()));
}

}  // namespace

std::filesystem::path default_run_directory() {
  const auto endpoint = net::parse_endpoint(net::default_endpoint(), net::Reach::this_machine);
  const std::filesystem::path socket =
      endpoint ? std::filesystem::path(endpoint->host) : std::filesystem::path("/tmp/parley/broker.sock");
  return socket.parent_path() / "up";
}

bool is_suite_alive(const std::filesystem::path& folder) {
  const auto watcher = supervisor::read_watcher(folder);
  if (watcher && supervisor::is_alive(*watcher)) return true;
  const auto state = supervisor::read_state(folder);
  if (!state) return false;
  return supervisor::is_alive(state->supervisor) ||
         std::ranges::any_of(state->processes, [](const auto& record) { return supervisor::is_alive(record.id); });
}

Result<RunDirectory> RunDirectory::claim(const std::filesystem::path& folder) {
  Result<RunDirectory> directory = take_over(folder);
  if (directory && is_suite_alive(directory->path())) return already_running(folder);
  return directory;
}

Result<RunDirectory> RunDirectory::take_over(const std::filesystem::path& folder) {
  if (Result<> made = make_private(folder); !made) return fail(made.error());
  const int lock = ::open((folder / kLockFile).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock < 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot write to the run directory {}: {}", folder.string(), std::strerror(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return already_running(folder);
  }
  return RunDirectory(std::filesystem::absolute(folder), lock);
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ < 0) return;
  const auto watcher = supervisor::read_watcher(path_);
  std::error_code ignored;
  if (watcher && watcher->pid == ::getpid()) std::filesystem::remove(path_ / supervisor::kWatcherFile, ignored);
  ::close(lock_);
}

Result<> RunDirectory::record(const std::string& broker) const {
  return supervisor::write_watcher(path_, supervisor::identify(::getpid()), broker);
}

}  // namespace parley::cli
