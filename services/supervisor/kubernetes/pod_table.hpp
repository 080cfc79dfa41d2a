// Pods come and go under new names; what fails and heals is a place in a workload. The table gives each pod a slot
// (`hr.0`, `hr.1`; a StatefulSet's pods keep their own names), in which its replacement follows it, and turns news
// about pods into events of slots. A slot that stays empty is forgotten. Pure; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "services/supervisor/kubernetes/pod.hpp"

namespace parley::supervisor {

struct SlotEvent {
  enum class Kind : std::uint8_t {
    added,    ///< a slot that was not there before
    started,  ///< its container runs
    ready,
    ended,    ///< its container has ended, or its pod goes; `end` says how
    removed,  ///< it has been empty for so long that it will not be filled again
  };
  Kind kind = Kind::added;
  std::string slot;
  ProcessEnd end = {};

  friend bool operator==(const SlotEvent&, const SlotEvent&) = default;
};

class PodTable {
 public:
  /// A slot that is empty for this long is forgotten: the workload was scaled down or deleted.
  static constexpr std::chrono::minutes kForgetAfter{10};

  std::vector<SlotEvent> update(const Pod& pod, TimePoint now);
  std::vector<SlotEvent> remove(const std::string& uid, TimePoint now);
  /// Everything that there is: what is missing has gone unseen.
  std::vector<SlotEvent> replace(const std::vector<Pod>& pods, TimePoint now);
  std::vector<SlotEvent> forget_empty(TimePoint now);

  /// The pod in a slot; nullptr when it is empty or unknown.
  [[nodiscard]] const Pod* pod_in(const std::string& slot) const;
  [[nodiscard]] std::vector<std::string> slots() const;

 private:
  struct Slot {
    std::string workload;
    std::optional<Pod> pod;
    TimePoint empty_since{};
  };

  std::string place(const Pod& pod, std::vector<SlotEvent>& events);
  void vacate(const std::string& slot, const ProcessEnd& end, TimePoint now, std::vector<SlotEvent>& events);
  void tell_changes(const std::string& slot, const Pod& before, const Pod& after, std::vector<SlotEvent>& events);

  std::map<std::string, Slot> slots_;
  std::map<std::string, std::string> slot_of_uid_;
};

}  // namespace parley::supervisor
