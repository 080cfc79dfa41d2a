// Which agent ids were executing when workers crashed. One that was there too often is the likely cause: it is to be
// quarantined, so that its worker can go on serving everybody else. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "services/supervisor/policy_memory.hpp"

namespace parley::supervisor {

class Suspects {
 public:
  /// An id is convicted at its `max_suspicions`-th crash within `memory` of its first.
  Suspects(std::uint32_t max_suspicions, Duration memory) : max_suspicions_(max_suspicions), memory_(memory) {}

  /// A worker crashed while it was executing these. Returns those that are convicted by it; their record is closed.
  std::vector<std::string> note_crash(const std::vector<std::string>& executing, TimePoint now) {
    std::erase_if(records_, [&](const auto& entry) { return now - entry.second.first > memory_; });
    std::vector<std::string> convicted;
    for (const std::string& agent : executing) {
      Record& record = records_.try_emplace(agent, Record{now, 0}).first->second;
      if (++record.crashes < max_suspicions_) continue;
      convicted.push_back(agent);
      records_.erase(agent);
    }
    return convicted;
  }

  [[nodiscard]] std::vector<Suspicion> suspicions(TimePoint now) const {
    std::vector<Suspicion> suspicions;
    suspicions.reserve(records_.size());
    for (const auto& [agent, record] : records_) suspicions.push_back({agent, now - record.first, record.crashes});
    return suspicions;
  }
  void restore(const std::vector<Suspicion>& suspicions, TimePoint now) {
    for (const Suspicion& suspicion : suspicions) {
      records_[suspicion.agent] = {now - suspicion.age, suspicion.crashes};
    }
  }

  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    TimePoint first;
    std::uint32_t crashes = 0;
  };

  std::uint32_t max_suspicions_;
  Duration memory_;
  std::map<std::string, Record> records_;
};

}  // namespace parley::supervisor
