// Answers by request, the least recently used forgotten first; bounded in number, bytes and age. Pure; one thread at a
// time.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::llm {

struct CacheOptions {
  std::size_t max_entries = 1000;
  /// Of requests and answers.
  std::size_t max_bytes = std::size_t{64} * 1024 * 1024;
  std::chrono::milliseconds ttl{3'600'000};
};

class AnswerCache {
 public:
  explicit AnswerCache(CacheOptions options) : options_(options) {}

  /// Counts as a use.
  [[nodiscard]] std::optional<Completion> find(const std::string& key, TimePoint now);
  /// Replaces what was there. An answer larger than the whole cache is not kept.
  void add(std::string key, Completion completion, TimePoint now);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    Completion completion;
    TimePoint expires;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  void erase(Entries::iterator entry);

  CacheOptions options_;
  Entries entries_;                                                 ///< the most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  ///< views into the entries
  std::size_t bytes_ = 0;
};

}  // namespace parley::llm
