#include "agents/sandbox/file_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include "agents/sandbox/descriptor.hpp"

namespace parley::sandbox {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0644;
constexpr mode_t kProgramMode = 0755;

/// While it lives, this thread makes files as another user (root only; nothing for others).
class WritesAs {
 public:
  explicit WritesAs(std::optional<uid_t> owner) : is_changed_(owner.has_value()) {
    if (!is_changed_) return;
    ::setfsgid(*owner);
    ::setfsuid(*owner);
  }
  WritesAs(const WritesAs&) = delete;
  WritesAs& operator=(const WritesAs&) = delete;
  ~WritesAs() {
    if (!is_changed_) return;
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
  }

 private:
  bool is_changed_;
};

std::unexpected<Error> file_failure(const std::string& what, const std::string& name) {
  return fail(ErrorCode::upstream_failed, what + " '" + name + "' of the work folder: " + std::strerror(errno));
}

std::vector<std::string> parts_of(std::string_view name) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    parts.emplace_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Descriptor open_folder(int parent, const std::string& name) {
  return Descriptor(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// The folder in which the last part of the name lies; with `makes` those on the way are made.
Descriptor open_parent(int folder, const std::vector<std::string>& parts, bool makes) {
  Descriptor current(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  for (std::size_t at = 0; at + 1 < parts.size() && current.is_open(); ++at) {
    if (makes) (void)::mkdirat(current.get(), parts[at].c_str(), kFolderMode);
    current = open_folder(current.get(), parts[at]);
  }
  return current;
}

FileStamp stamp_of(const struct stat& about) {
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  return {about.st_ino, about.st_mtim.tv_sec * kNanosPerSecond + about.st_mtim.tv_nsec};
}

/// Walks one folder after the other, so that its own depth does not depend on what it finds.
class Walk {
 public:
  Walk(int root, std::size_t max_entries) : root_(root), left_(max_entries) {}

  FoundTree run() {
    folders_.emplace_back();
    while (!folders_.empty()) {
      const std::string folder = std::move(folders_.back());
      folders_.pop_back();
      read(folder);
    }
    std::ranges::sort(tree_.files, {}, &FoundFile::name);
    std::ranges::sort(tree_.left_out);
    return std::move(tree_);
  }

 private:
  void read(const std::string& folder) {
    const Descriptor opened = open(folder);
    // Of a copy, because closedir closes it.
    const FolderStream entries(opened.is_open() ? ::fdopendir(::fcntl(opened.get(), F_DUPFD_CLOEXEC, 0)) : nullptr);
    if (entries == nullptr) return tree_.left_out.push_back(folder);
    ::rewinddir(entries.get());
    while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
      const std::string_view name(&entry->d_name[0]);
      if (name == "." || name == "..") continue;
      if (left_ == 0) return;
      --left_;
      add(opened.get(), folder, std::string(name));
    }
  }

  [[nodiscard]] Descriptor open(const std::string& folder) const {
    if (folder.empty()) return Descriptor(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
    const std::vector<std::string> parts = parts_of(folder);
    const Descriptor parent = open_parent(root_, parts, false);
    return parent.is_open() ? open_folder(parent.get(), parts.back()) : Descriptor();
  }

  void add(int parent, const std::string& folder, const std::string& name) {
    std::string path = folder.empty() ? name : folder + "/" + name;
    struct stat about{};
    const bool is_known = ::fstatat(parent, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_known || !is_valid_file_name(path)) return tree_.left_out.push_back(std::move(path));
    if (S_ISDIR(about.st_mode)) return folders_.push_back(std::move(path));
    if (!S_ISREG(about.st_mode)) return tree_.left_out.push_back(std::move(path));
    const bool is_executable = (about.st_mode & S_IXUSR) != 0;
    tree_.files.push_back({std::move(path), static_cast<std::uint64_t>(about.st_size), is_executable, stamp_of(about)});
  }

  int root_;
  std::size_t left_;
  std::vector<std::string> folders_;
  FoundTree tree_;
};

/// A second back, so that whoever writes it later in the same tick of the clock leaves a mark.
bool date_back(int file, struct stat& about) {
  if (::fstat(file, &about) != 0) return false;
  --about.st_mtim.tv_sec;
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, about.st_mtim};
  return ::futimens(file, times.data()) == 0;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

bool is_valid_file_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxFileNameBytes) return false;
  const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < 0x20U || letter == 0x7F; };
  if (std::ranges::any_of(name, is_control)) return false;
  const std::vector<std::string> parts = parts_of(name);
  constexpr std::size_t kMaxPart = 255;
  const auto is_bad = [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || part.size() > kMaxPart;
  };
  return parts.size() <= kMaxFolderDepth + 1 && std::ranges::none_of(parts, is_bad);
}

Result<FileStamp> write_file(int folder, const std::string& name, std::string_view bytes, bool is_executable,
                             std::optional<uid_t> owner) {
  if (!is_valid_file_name(name)) return fail(ErrorCode::invalid, "'" + name + "' is no name for a file");
  const WritesAs writes_as(owner);
  const std::vector<std::string> parts = parts_of(name);
  const Descriptor parent = open_parent(folder, parts, true);
  if (!parent.is_open()) return file_failure("cannot make the folder of", name);
  const Descriptor file(::openat(parent.get(), parts.back().c_str(),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                                 is_executable ? kProgramMode : kFileMode));
  struct stat about{};
  if (!file.is_open() || !write_all(file.get(), bytes) || !date_back(file.get(), about)) {
    return file_failure("cannot write", name);
  }
  return stamp_of(about);
}

FoundTree find_files(int folder, std::size_t max_entries) { return Walk(folder, max_entries).run(); }

Result<std::string> read_file(int folder, const std::string& name, std::size_t max_bytes) {
  const std::vector<std::string> parts = parts_of(name);
  const Descriptor parent = open_parent(folder, parts, false);
  if (!parent.is_open()) return file_failure("cannot open the folder of", name);
  // Without blocking, should it be a pipe by now.
  const Descriptor file(::openat(parent.get(), parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat about{};
  if (!file.is_open() || ::fstat(file.get(), &about) != 0) return file_failure("cannot open", name);
  if (!S_ISREG(about.st_mode)) return fail(ErrorCode::invalid, "'" + name + "' is no plain file");
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > max_bytes) return fail(ErrorCode::too_large, "'" + name + "' is too large");
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count <= 0) return file_failure("cannot read", name);
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace parley::sandbox
