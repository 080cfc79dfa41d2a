// States of activations that were put away, kept for their next life. Bounded in number and bytes: the oldest make
// room, counted. Pure; one thread. AgentHost has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace parley {

class SavedStates {
 public:
  SavedStates(std::size_t max_states, std::size_t max_bytes) : max_states_(max_states), max_bytes_(max_bytes) {}

  /// Keeps the state of an agent id instead of an earlier one. What does not fit any more is dropped, oldest first; a
  /// state that alone is beyond the bound is dropped itself.
  void put(const std::string& id, std::string state) {
    erase(id);
    bytes_ += cost(id, state);
    order_.push_back(id);
    states_.emplace(id, Entry{std::move(state), std::prev(order_.end())});
    while (states_.size() > max_states_ || bytes_ > max_bytes_) {
      dropped_++;
      erase(std::string(order_.front()));
    }
  }
  /// Null when there is none.
  [[nodiscard]] const std::string* find(std::string_view id) const {
    const auto found = states_.find(id);
    return found == states_.end() ? nullptr : &found->second.state;
  }
  void erase(std::string_view id) {
    const auto found = states_.find(id);
    if (found == states_.end()) return;
    bytes_ -= cost(id, found->second.state);
    order_.erase(found->second.place);
    states_.erase(found);
  }

  [[nodiscard]] std::map<std::string, std::string> all() const {
    std::map<std::string, std::string> copies;
    for (const auto& [id, entry] : states_) copies.emplace(id, entry.state);
    return copies;
  }
  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    std::string state;
    std::list<std::string>::iterator place;
  };
  static std::size_t cost(std::string_view id, std::string_view state) { return id.size() + state.size(); }

  std::size_t max_states_;
  std::size_t max_bytes_;
  std::map<std::string, Entry, std::less<>> states_;
  std::list<std::string> order_;  ///< oldest first
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace parley
