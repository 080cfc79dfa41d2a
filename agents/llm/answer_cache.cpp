#include "agents/llm/answer_cache.hpp"

#include <utility>

namespace parley::llm {

namespace {
/// List node, map node, strings' own memory.
constexpr std::size_t kBytesPerEntry = 512;
}  // namespace

std::optional<Completion> AnswerCache::find(const std::string& key, TimePoint now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  if (found->second->expires <= now) {
    erase(found->second);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->completion;
}

void AnswerCache::add(std::string key, Completion completion, TimePoint now) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
  const std::size_t bytes = kBytesPerEntry + key.size() + completion.text.size();
  if (bytes > options_.max_bytes || options_.max_entries == 0) return;
  while (entries_.size() >= options_.max_entries || bytes_ + bytes > options_.max_bytes) {
    erase(std::prev(entries_.end()));
  }
  entries_.push_front({std::move(key), std::move(completion), now + options_.ttl, bytes});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

void AnswerCache::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace parley::llm
