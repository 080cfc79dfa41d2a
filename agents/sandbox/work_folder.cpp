#include "agents/sandbox/work_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace parley::sandbox {
namespace {

constexpr std::size_t kMaxLeftOut = 20;
constexpr mode_t kPrivate = 0700;

}  // namespace

Result<std::shared_ptr<WorkFolder>> WorkFolder::make(const std::filesystem::path& path) {
  Descriptor folder;
  if (::mkdir(path.c_str(), kPrivate) == 0) {
    folder = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!folder.is_open()) {
    return fail(ErrorCode::upstream_failed,
                "cannot make a work folder at " + path.string() + ": " + std::strerror(errno));
  }
  return std::shared_ptr<WorkFolder>(new WorkFolder(path, std::move(folder)));
}

WorkFolder::WorkFolder(std::filesystem::path path, Descriptor folder)
    : path_(std::move(path)), folder_(std::move(folder)) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<> WorkFolder::put_into(int sandbox, const std::vector<File>& more, std::optional<uid_t> owner) {
  for (auto& [name, kept] : kept_) {
    const Result<std::string> bytes = read_file(folder_.get(), std::to_string(kept.number), SIZE_MAX);
    if (!bytes) return fail(bytes.error());
    const Result<FileStamp> written = write_file(sandbox, name, *bytes, kept.is_executable, owner);
    if (!written) return fail(written.error());
    kept.stamp = *written;
  }
  for (const File& file : more) {
    const Result<FileStamp> written = write_file(sandbox, file.name, file.bytes, false, owner);
    if (!written) return fail(written.error());
    const Result<FileStamp> stored =
        write_file(folder_.get(), std::to_string(++last_number_), file.bytes, false, std::nullopt);
    if (!stored) return fail(stored.error());
    drop(file.name);
    kept_[file.name] = Kept{last_number_, false, *written};
  }
  return {};
}

Result<> WorkFolder::take_from(int sandbox, const SandboxLimits& limits, RunResult& result) {
  const FoundTree tree = find_files(sandbox, limits.max_entries);
  result.left_out = tree.left_out;
  std::size_t returned_bytes = 0;
  std::map<std::string, Kept> before = kept_;
  for (const FoundFile& file : tree.files) {
    const auto known = before.find(file.name);
    const bool is_unchanged = known != before.end() && known->second.stamp == file.stamp;
    before.erase(file.name);
    if (is_unchanged) continue;
    Result<std::string> bytes = take_file(sandbox, file, limits);
    const bool has_room = bytes && result.files.size() < limits.max_returned_files &&
                          bytes->size() <= limits.max_returned_bytes - returned_bytes;
    if (!has_room) {
      result.left_out.push_back(file.name);
      continue;
    }
    returned_bytes += bytes->size();
    result.files.push_back({file.name, std::move(*bytes)});
  }
  for (const auto& [name, kept] : before) drop(name);  // the code has removed them
  if (result.left_out.size() > kMaxLeftOut) {
    const std::size_t more = result.left_out.size() - kMaxLeftOut;
    result.left_out.resize(kMaxLeftOut);
    result.left_out.push_back("and " + std::to_string(more) + " more");
  }
  return {};
}

Result<std::string> WorkFolder::take_file(int sandbox, const FoundFile& file, const SandboxLimits& limits) {
  Result<std::string> bytes = read_file(sandbox, file.name, limits.work_bytes);
  if (!bytes) {
    drop(file.name);
    return bytes;
  }
  const std::uint64_t number = ++last_number_;
  const Result<FileStamp> stored = write_file(folder_.get(), std::to_string(number), *bytes, false, std::nullopt);
  drop(file.name);
  if (!stored) return fail(stored.error());
  kept_[file.name] = Kept{number, file.is_executable, file.stamp};
  return bytes;
}

void WorkFolder::drop(const std::string& name) {
  const auto found = kept_.find(name);
  if (found == kept_.end()) return;
  (void)::unlinkat(folder_.get(), std::to_string(found->second.number).c_str(), 0);
  kept_.erase(found);
}

std::vector<std::string> WorkFolder::names() const {
  std::vector<std::string> names;
  names.reserve(kept_.size());
  for (const auto& [name, kept] : kept_) names.push_back(name);
  return names;
}

}  // namespace parley::sandbox
