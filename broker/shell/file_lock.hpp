// A lock file held for the life of the process. The kernel drops it when the process dies, however it dies, so a stale
// file never keeps the next one out. One thread.
#pragma once

#include <optional>
#include <string>

#include "libmsg/core/error.hpp"

namespace parley::broker {

class FileLock {
 public:
  /// Nullopt when another process holds it. Fails with `bad_configuration` when the file cannot be made.
  static Result<std::optional<FileLock>> try_lock(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace parley::broker
