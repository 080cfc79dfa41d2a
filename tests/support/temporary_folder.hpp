// A folder of its own for a test. CTest runs the tests of one program in processes side by side: a fixed name would be
// shared by them.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace parley::test {

/// New and empty; removed with everything in it. Its path is short, because a socket's path may have 107 bytes only.
class TemporaryFolder {
 public:
  /// Throws std::system_error where none can be made.
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-t-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace parley::test
