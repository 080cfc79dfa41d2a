// A folder for one run of processes (the demo, `parley run`), gone with it. Main thread.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>

namespace parley::cli {

class TemporaryFolder {
 public:
  /// `name` is the first part of its name.
  explicit TemporaryFolder(std::string_view name) {
    const char* parent = std::getenv("TMPDIR");
    // A socket's path may have 107 bytes only.
    std::string path =
        (parent != nullptr && *parent == '/' && std::string_view(parent).size() < 40 ? std::string(parent) : "/tmp") +
        "/" + std::string(name) + "-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  /// Empty when it could not be made.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace parley::cli
