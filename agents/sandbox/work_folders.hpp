// The work folders of conversations, each under a key. One that has not been used for a while goes, and beyond a number
// the one that was used longest ago. Loop thread.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "agents/sandbox/sandbox.hpp"

namespace parley::sandbox {

struct WorkFolderLimits {
  std::size_t max_folders = 100;
  std::chrono::milliseconds idle{std::chrono::minutes(30)};
};

class WorkFolders : public std::enable_shared_from_this<WorkFolders> {
 public:
  WorkFolders(std::shared_ptr<Sandbox> sandbox, WorkFolderLimits limits)
      : sandbox_(std::move(sandbox)), limits_(limits) {}

  /// The folder of this key, a new one if there is none (any more).
  Result<std::shared_ptr<WorkFolder>> of(const std::string& key, const asio::any_io_executor& executor);
  [[nodiscard]] std::size_t size() const { return folders_.size(); }

 private:
  struct Entry {
    std::shared_ptr<WorkFolder> folder;
    std::uint64_t used = 0;
    std::shared_ptr<asio::steady_timer> idle;
  };

  void touch(const std::string& key, Entry& entry);
  void make_room();

  std::shared_ptr<Sandbox> sandbox_;
  WorkFolderLimits limits_;
  std::map<std::string, Entry> folders_;
  std::uint64_t uses_ = 0;
};

}  // namespace parley::sandbox
