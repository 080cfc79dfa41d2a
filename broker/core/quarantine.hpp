// Agent ids and agent types that are out of service: messages for them are answered `quarantined` at once. The message
// path asks is_empty() first, so that a bus without quarantines pays one comparison. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/hash.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/ps_report.hpp"

namespace parley::broker {

class Quarantines {
 public:
  /// What an earlier run had; `refused` starts anew.
  Quarantines(const std::vector<wire::PsQuarantine>& earlier, HashSeed seed) : entries_(0, TextHash(seed)) {
    for (const wire::PsQuarantine& row : earlier) set({row.key, row.reason, row.since_ms, 0, row.by});
  }

  [[nodiscard]] bool is_empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool contains(std::string_view key) const { return entries_.find(key) != entries_.end(); }
  /// nullptr when it is not quarantined; valid until the next change.
  [[nodiscard]] const wire::PsQuarantine* find(std::string_view key) const {
    const auto it = entries_.find(key);
    return it == entries_.end() ? nullptr : &it->second;
  }

  /// One that is there already keeps its time and what it has refused.
  void set(wire::PsQuarantine entry) {
    const auto [it, is_new] = entries_.try_emplace(entry.key, entry);
    if (is_new) return;
    it.value().reason = std::move(entry.reason);
    it.value().by = std::move(entry.by);
  }
  /// The entry that was released; an empty key: there was none.
  wire::PsQuarantine release(std::string_view key) {
    const auto it = entries_.find(key);
    if (it == entries_.end()) return {};
    wire::PsQuarantine released = it->second;
    entries_.erase(it);
    return released;
  }

  /// Counts and words the refusal of a message for this agent id; nullopt when neither it nor its type is quarantined.
  std::optional<Error> refuse(std::string_view agent_id) {
    auto it = entries_.find(agent_id);
    if (it == entries_.end()) it = entries_.find(split_id(agent_id).type);
    if (it == entries_.end()) return std::nullopt;
    wire::PsQuarantine& entry = it.value();
    entry.refused++;
    std::string text = "'" + entry.key + "' is quarantined";
    if (!entry.reason.empty()) text += ": " + entry.reason;
    return Error(ErrorCode::quarantined, std::move(text));
  }

  /// By key.
  [[nodiscard]] std::vector<wire::PsQuarantine> list() const {
    std::vector<wire::PsQuarantine> rows;
    rows.reserve(entries_.size());
    for (const auto& [key, entry] : entries_) rows.push_back(entry);
    std::ranges::sort(rows, {}, &wire::PsQuarantine::key);
    return rows;
  }

 private:
  TextMap<wire::PsQuarantine> entries_;
};

}  // namespace parley::broker
