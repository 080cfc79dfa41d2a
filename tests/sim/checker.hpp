// The rules that must hold whatever happens, watched from outside: it knows every message that was ever made and what
// became of it. PROTOCOL.md's ids stand at the checks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"
#include "tests/sim/schedule.hpp"

namespace parley::sim {

/// What travels in every payload of the simulation.
struct Body {
  std::uint64_t uid = 0;       ///< index into the checker's records
  std::uint32_t stream = 0;    ///< sender and session: the scope of order
  std::uint32_t sequence = 0;  ///< within the sender
  std::uint32_t plan = 0;      ///< what the handler does with it
  std::uint32_t depth = 0;     ///< of nested requests
};

/// One subscription of one process.
struct SubscriptionRecord {
  std::string topic;
  bool is_prefix = false;
  std::string agent_type;
  TimePoint removed = TimePoint::max();  ///< when its end was acknowledged
};

class Checker {
 public:
  explicit Checker(const Schedule& schedule) : schedule_(schedule) {}

  // Messages.
  std::uint64_t created(wire::Kind kind, std::string_view target);
  void answered(std::uint64_t uid, std::string_view outcome);
  /// `is_exact`: the number of recipients is final.
  void accepted(std::uint64_t uid, std::uint64_t broker_run, std::uint32_t recipients, bool is_exact);
  void refused(std::uint64_t uid);
  /// The caller's process died: no outcome is owed.
  void caller_died(std::uint64_t uid);
  void delivered_event(std::string_view topic, std::string_view agent_type, std::uint64_t uid);
  /// Who starts a turn: the process, by number and life.
  struct Starter {
    std::size_t machine = 0;
    std::uint64_t life = 0;
    Epoch epoch;
    friend bool operator==(const Starter&, const Starter&) = default;
  };
  /// A nested one re-enters an activation that waits for it: it cannot wait for what is in the mailbox. [P-ORD-1]
  enum class Turn : std::uint8_t { first, nested };
  /// Returns who started the turn before this one on the same agent id; life 0 for nobody.
  Starter started(const Body& body, const std::string& agent_id, const Starter& starter, Turn turn);
  void handled(std::uint64_t uid);

  // Subscriptions.
  std::size_t subscribed(SubscriptionRecord subscription);
  void unsubscribed(std::size_t index) { subscriptions_[index].removed = schedule_.now(); }

  /// At the end of everything, against the last broker's own books.
  void check_end(std::uint64_t broker_run, const std::vector<wire::DeadLetterRow>& dead_letters);

  void fail(std::string what);
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }
  [[nodiscard]] std::size_t messages() const { return records_.size(); }
  /// Outcomes by name, for the report.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& outcomes() const { return outcomes_; }

 private:
  struct Record {
    wire::Kind kind{};
    std::string target;
    TimePoint created;
    std::uint32_t outcomes = 0;
    bool is_orphan = false;
    bool is_refused = false;
    std::uint64_t accepted_run = 0;
    std::uint32_t recipients = 0;
    bool is_exact = true;
    std::uint32_t handled = 0;
    std::vector<std::string> started;
  };

  std::string show(std::uint64_t uid) const;
  void check_order(const Body& body, const std::string& agent_id);

  const Schedule& schedule_;
  std::vector<Record> records_;
  std::vector<SubscriptionRecord> subscriptions_;
  std::unordered_map<std::string, std::uint32_t> last_sequence_;  ///< stream > agent id
  std::unordered_map<std::string, Starter> last_start_;
  std::vector<std::string> failures_;
  std::map<std::string, std::uint64_t, std::less<>> outcomes_;
};

}  // namespace parley::sim
