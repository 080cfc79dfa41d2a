// Activations: made at their first message, put away when idle, surplus, drained, unregistered or evicted.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <exception>
#include <spdlog/spdlog.h>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {

/// Makes the agent, gives it its saved state and lets it prepare.
Task<Result<>> AgentHost::activate(Turn& turn) {
  Hosted& hosted = turn.activation->body;
  AgentType& type = *hosted.type;
  const std::string& id = turn.activation->id;
  const auto failed = [&id](std::string_view what) {
    return Error(ErrorCode::activation_failed, "agent '" + id + "' could not be activated: " + std::string(what));
  };
  std::optional<Error> error;
  hosted.is_activating = true;
  try {
    if (type.factory) {
      hosted.agent = type.factory(hosted.id);
      if (!hosted.agent) error = failed("its factory returned nothing");
    } else if (const auto instance = type.instances.find(hosted.id.key()); instance != type.instances.end()) {
      hosted.agent = instance->second;
    } else {
      error = Error(ErrorCode::undeliverable, "'" + id + "' is not among the ready instances of '" + type.name + "'");
    }
    const std::string* const saved = saved_states_.find(id);
    if (!error && saved != nullptr) {
      if (const Result<> loaded = hosted.agent->load_state(*saved); !loaded) error = failed(loaded.error().message);
    }
    if (!error) {
      if (const Result<> prepared = co_await hosted.agent->on_activate(turn); !prepared) {
        error = failed(prepared.error().message);
      }
    }
  } catch (const std::exception& failure) {
    error = failed(failure.what());
  } catch (...) {
    error = failed("something was thrown that is not a std::exception");
  }
  hosted.is_activating = false;
  if (error) {
    hosted.agent.reset();  // The next message tries again.
    co_return fail(std::move(*error));
  }
  saved_states_.erase(id);
  co_return Result<>{};
}

void AgentHost::passivate_idle() {
  while (Activation* const activation = scheduler_.take_idle(now_)) {
    write_control(activation->body.connection, wire::Kind::passivate, activation->id, activation->epoch);
  }
}

/// More activations than the runtime may have: the ones used longest ago make room.
void AgentHost::passivate_surplus() {
  while (Activation* const activation = scheduler_.take_surplus(limits_.max_activations)) {
    counters_.surplus_passivations++;
    write_control(activation->body.connection, wire::Kind::passivate, activation->id, activation->epoch);
  }
}

void AgentHost::keep_state(const std::string& id, std::string state) {
  saved_states_.put(id, std::move(state));
  if (saved_states_.dropped() == counters_.dropped_states) return;
  // Once for all that goes on like this.
  if (counters_.dropped_states == 0) {
    spdlog::warn("event=states_dropped kept={} bytes={} reason=\"too many states of agents that were put away\"",
                 saved_states_.size(), saved_states_.bytes());
  }
  counters_.dropped_states = saved_states_.dropped();
}

void AgentHost::ask_passivation(Activation& activation) {
  if (!scheduler_.begin_passivation(activation)) return;
  write_control(activation.body.connection, wire::Kind::passivate, activation.id, activation.epoch);
}

/// What an activation that may have become idle owes to a stop or to the broker.
void AgentHost::settle_idle(Activation& activation) {
  if (state_ == State::stopping && activation.is_idle()) ask_passivation(activation);
  leave_if_possible(activation);
}

void AgentHost::leave_if_possible(Activation& activation) {
  if (!Scheduler::may_leave(activation)) return;
  scheduler_.occupy(activation);
  asio::co_spawn(io_, deactivate(shared_from_this(), &activation), asio::detached);
}

/// Keeps the state, says farewell to the agent, tells the broker. The activation is occupied meanwhile.
Task<> AgentHost::deactivate(std::shared_ptr<AgentHost> self, Activation* activation) {
  const std::string id = activation->id;
  Hosted& hosted = activation->body;
  if (hosted.agent) {
    try {
      const bool is_kept = hosted.type->factory && hosted.type->is_registered;
      if (Result<std::string> state = is_kept ? hosted.agent->save_state() : std::string(); !state) {
        spdlog::warn("event=state_lost agent={} reason=\"{}\"", id, state.error().message);
      } else if (!state->empty()) {
        self->keep_state(id, std::move(*state));
      }
      co_await hosted.agent->on_deactivate();
    } catch (const std::exception& failure) {
      spdlog::warn("event=deactivation_failed agent={} reason=\"{}\"", id, failure.what());
    }
  }
  if (self->is_closed_) co_return;
  self->write_control(hosted.connection, wire::Kind::deactivated, id, activation->epoch);
  self->forget_failing(*activation);
  self->scheduler_.remove(*activation);
  (void)self->scheduler_.finish(*activation, self->now());
  self->request_flush();
}

/// The next HELLO does not name their type, or names another registration of it.
void AgentHost::evict_unregistered(std::size_t connection) {
  std::vector<std::string> homeless;
  scheduler_.for_each([&](Activation& activation) {
    const Hosted& hosted = activation.body;
    if (hosted.connection == connection && !hosted.type->is_registered) homeless.push_back(activation.id);
  });
  for (const std::string& id : homeless) {
    // The end of one may have ended another.
    if (Activation* const activation = scheduler_.find(id)) evict(*activation);
  }
}

void AgentHost::evict(Activation& activation) {
  const Error lost(ErrorCode::worker_lost, "'" + activation.id + "' was taken from this worker");
  const std::string id = activation.id;
  const std::size_t connection = activation.body.connection;
  const Epoch epoch = activation.epoch;
  std::vector<std::pair<Turn*, std::uint64_t>> running;
  for (Turn* const turn : running_turns_) {
    if (turn->activation == &activation) running.emplace_back(turn, turn->serial);
  }
  forget_failing(activation);
  for (TurnPtr& waiting : scheduler_.remove(activation)) {
    leave_mailbox(*waiting);
    refuse(std::move(waiting), lost);
  }
  for (const auto& [turn, serial] : running) {
    const bool is_running = std::ranges::find(running_turns_, turn) != running_turns_.end() && turn->serial == serial;
    if (is_running) cancel_turn(*turn, lost);
  }
  write_control(connection, wire::Kind::deactivated, id, epoch);
}

}  // namespace parley
