#include "agents/sandbox/work_folders.hpp"

#include <algorithm>
#include <utility>

namespace parley::sandbox {

Result<std::shared_ptr<WorkFolder>> WorkFolders::of(const std::string& key, const asio::any_io_executor& executor) {
  const auto known = folders_.find(key);
  if (known != folders_.end()) {
    touch(key, known->second);
    return known->second.folder;
  }
  make_room();
  Result<std::shared_ptr<WorkFolder>> made = sandbox_->make_folder();
  if (!made) return made;
  Entry& entry = folders_[key];
  entry.folder = *made;
  entry.idle = std::make_shared<asio::steady_timer>(executor);
  touch(key, entry);
  return made;
}

void WorkFolders::touch(const std::string& key, Entry& entry) {
  entry.used = ++uses_;
  entry.idle->expires_after(limits_.idle);
  entry.idle->async_wait([weak = weak_from_this(), key, used = entry.used](const asio::error_code& failure) {
    const auto self = weak.lock();
    if (failure || !self) return;
    const auto found = self->folders_.find(key);
    if (found == self->folders_.end() || found->second.used != used) return;
    // A run that is longer than the idle time is no idleness.
    if (found->second.folder.use_count() > 1) return self->touch(key, found->second);
    self->folders_.erase(found);
  });
}

void WorkFolders::make_room() {
  if (folders_.size() < limits_.max_folders) return;
  folders_.erase(std::ranges::min_element(folders_, {}, [](const auto& entry) { return entry.second.used; }));
}

}  // namespace parley::sandbox
