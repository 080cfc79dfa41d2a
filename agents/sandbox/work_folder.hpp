// The files of one conversation between its runs. While code runs they lie in the sandbox, in memory of limited size;
// before and after that here, in a folder that only this process writes, each under a number: no name that code has
// chosen ever meets the host's file system. Loop thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "agents/sandbox/descriptor.hpp"
#include "agents/sandbox/file_tree.hpp"
#include "agents/sandbox/limits.hpp"
#include "agents/sandbox/run_request.hpp"
#include "agents/sandbox/slots.hpp"
#include "libmsg/core/error.hpp"

namespace parley::sandbox {

class WorkFolder {
 public:
  /// Makes the folder. Its destructor removes it with all files.
  static Result<std::shared_ptr<WorkFolder>> make(const std::filesystem::path& path);
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();

  /// Puts the files into the sandbox's work folder, and those of the request over them.
  Result<> put_into(int sandbox, const std::vector<File>& more, std::optional<uid_t> owner);
  /// Keeps what the code has left in the sandbox's work folder and adds what it made or changed to the result. The code
  /// must have ended.
  Result<> take_from(int sandbox, const SandboxLimits& limits, RunResult& result);

  /// Names of the files that are kept.
  [[nodiscard]] std::vector<std::string> names() const;
  /// One run at a time uses the folder.
  [[nodiscard]] Slots& turn() { return turn_; }

 private:
  struct Kept {
    std::uint64_t number = 0;
    bool is_executable = false;
    FileStamp stamp;  ///< in the sandbox, before the code started
  };

  WorkFolder(std::filesystem::path path, Descriptor folder);
  Result<std::string> take_file(int sandbox, const FoundFile& file, const SandboxLimits& limits);
  void drop(const std::string& name);

  std::filesystem::path path_;
  Descriptor folder_;
  std::map<std::string, Kept> kept_;
  std::uint64_t last_number_ = 0;
  Slots turn_{1};
};

}  // namespace parley::sandbox
