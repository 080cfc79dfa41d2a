#include "agents/sandbox/state_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "agents/sandbox/file_tree.hpp"

namespace parley::sandbox {
namespace {

namespace fs = std::filesystem;

/// Root's sandbox runs as another user, who must come through but need not see.
constexpr mode_t kPassable = 0711;
constexpr const char* kReadyPrefix = "s-";

std::unexpected<Error> folder_failure(const std::string& what, const fs::path& path) {
  return fail(ErrorCode::bad_configuration, "the sandbox cannot " + what + " " + path.string() + ": " +
                                                std::strerror(errno) + " (see the setting 'folder')");
}

Result<> check_base(const fs::path& base) {
  if (::mkdir(base.c_str(), kPassable) != 0 && errno != EEXIST) return folder_failure("make", base);
  struct stat about{};
  if (::lstat(base.c_str(), &about) != 0) return folder_failure("use", base);
  constexpr mode_t kOthersWrite = 0022;
  if (!S_ISDIR(about.st_mode) || about.st_uid != ::geteuid() || (about.st_mode & kOthersWrite) != 0) {
    return fail(ErrorCode::bad_configuration,
                "the sandbox's folder " + base.string() +
                    " must be a folder that belongs to this user and that nobody else may "
                    "write in");
  }
  return {};
}

Descriptor locked(const fs::path& folder, int flags) {
  Descriptor lock(::open((folder / "lock").c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (lock.is_open() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.reset();
  return lock;
}

void remove_abandoned(const fs::path& base) {
  std::error_code ignored;
  std::vector<fs::path> abandoned;
  for (const fs::directory_entry& entry : fs::directory_iterator(base, ignored)) {
    if (!entry.path().filename().string().starts_with(kReadyPrefix)) continue;
    if (locked(entry.path(), 0).is_open()) abandoned.push_back(entry.path());
  }
  for (const fs::path& folder : abandoned) fs::remove_all(folder, ignored);
}

Result<> write_etc(const fs::path& folder) {
  const fs::path etc = folder / "etc";
  if (::mkdir(etc.c_str(), kPassable) != 0) return folder_failure("make", etc);
  const Descriptor opened(::open(etc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::vector<std::pair<std::string, std::string>> files{
      {"passwd", "agent:x:1000:1000::/work:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"},
      {"group", "agent:x:1000:\nnogroup:x:65534:\n"},
      {"hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"}};
  for (const auto& [name, text] : files) {
    const Result<FileStamp> written = write_file(opened.get(), name, text, false, std::nullopt);
    if (!written) return fail(ErrorCode::bad_configuration, written.error().message);
  }
  return {};
}

}  // namespace

fs::path default_state_folder() { return "/tmp/parley-sandbox-" + std::to_string(::geteuid()); }

Result<StateFolder> make_state_folder(const fs::path& base) {
  Result<> checked = check_base(base);
  if (!checked) return fail(std::move(checked).error());
  remove_abandoned(base);
  std::string path = (base / "new-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr || ::chmod(path.c_str(), kPassable) != 0) return folder_failure("make", path);
  Descriptor lock = locked(path, O_CREAT);
  if (!lock.is_open()) return folder_failure("lock", path);
  Result<> written = write_etc(path);
  if (!written) return fail(std::move(written).error());
  // Only now, with its lock, others may look whether it is in use.
  const fs::path ready = base / (kReadyPrefix + path.substr(path.rfind('-') + 1));
  if (::rename(path.c_str(), ready.c_str()) != 0) return folder_failure("rename", path);
  return StateFolder{ready, std::move(lock)};
}

}  // namespace parley::sandbox
