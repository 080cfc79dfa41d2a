// Questions how one activation is (QUERY `activation`): the broker passes each on to the worker that has the agent, as
// INSPECT, and its answer back to whoever asked. Each ends in one REPLY or ERROR, soon: people wait for it. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "broker/core/outbox.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Inquiries {
 public:
  /// How long a worker may take.
  static constexpr Duration kTimeout = std::chrono::seconds(2);
  /// Under way at a time, of all peers.
  static constexpr std::size_t kMaxUnderWay = 1024;

  /// Both must outlive the inquiries.
  Inquiries(State& state, Outbox& outbox) : state_(state), outbox_(outbox) {}

  /// Asks the worker; `message_id` of the asker will be answered. Fails, and answers nothing, with `invalid` when the
  /// agent lives nowhere, `no_handler` when its worker is of a version without INSPECT, `overloaded`.
  Result<> ask(const Session& asker, std::uint64_t message_id, std::string_view agent_id);
  /// INSPECT from a worker.
  void on_answer(const Session& worker, const wire::EnvelopeView& envelope);
  /// Ends those whose worker is late or gone.
  void expire();
  [[nodiscard]] TimePoint next_wakeup() const;

 private:
  /// A session, which may be over and its slot another's by now.
  struct Peer {
    std::uint32_t slot = kNil;
    SessionToken token;
  };
  struct Inquiry {
    Peer asker;
    std::uint64_t message_id = 0;
    Peer worker;
    std::string worker_name;
    TimePoint deadline;
  };

  [[nodiscard]] Session* find(const Peer& peer) const;
  void end(const Inquiry& inquiry, const Result<wire::ActivationVitals>& outcome);

  State& state_;
  Outbox& outbox_;
  std::map<std::uint64_t, Inquiry> inquiries_;  ///< by the message id of their INSPECT, so the oldest is first
  std::uint64_t last_id_ = 0;
};

}  // namespace parley::broker
