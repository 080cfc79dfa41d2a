// The broker's state for people and programs: answers to QUERY, ps, the named numbers. Reads only. One thread.
#pragma once

#include <string_view>
#include <vector>

#include "broker/core/state.hpp"
#include "libmsg/core/error.hpp"

namespace parley::broker {

class Reports {
 public:
  struct Answer {
    std::string_view type;  ///< payload type name
    ByteBuffer body;
  };

  /// `state` must outlive the reports.
  explicit Reports(const State& state) : state_(state) {}

  /// Fails with `invalid` for an unknown `what` or a malformed key.
  [[nodiscard]] Result<Answer> answer(const wire::Query& query) const;
  [[nodiscard]] wire::PsReport ps() const;
  [[nodiscard]] std::vector<wire::NamedNumber> numbers() const;

 private:
  [[nodiscard]] wire::PsPeer peer(const Session& session) const;
  [[nodiscard]] wire::PsType type(const AgentType& agent_type) const;
  [[nodiscard]] wire::WhereReport where(std::string_view id) const;
  [[nodiscard]] std::uint64_t waiting() const;
  [[nodiscard]] std::uint64_t queued_bytes() const;
  [[nodiscard]] Duration oldest_of_all() const;
  void add_health(const AgentType& agent_type, wire::PsType& row) const;

  const State& state_;
};

/// Messages that wait for agents of the type: in the broker, and in mailboxes as its workers told last.
[[nodiscard]] std::uint64_t mailbox_depth(const State& state, const AgentType& type);

/// Age of the oldest of these. One in a mailbox has aged since its worker told of it.
[[nodiscard]] Duration oldest_waiting(const State& state, const AgentType& type);

}  // namespace parley::broker
