#include "services/supervisor/fleet_journal.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <utility>

#include "monitoring/log.hpp"

namespace parley::supervisor {
namespace {

using monitoring::log_text;

bool is_bad(const std::string& event) {
  return event == "agent_crashed" || event == "agent_unhealthy" || event == "agent_killed" || event == "quarantined";
}

std::uint64_t ms(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

}  // namespace

messages::FleetEvent FleetJournal::note(const Action& action, const std::vector<ProcessView>& processes,
                                        const std::vector<std::string>& last_lines) {
  Memory& memory = memories_[action.process];
  if (action.event == "agent_unhealthy") memory.cause = "health";
  if (action.event == "agent_crashed" && memory.cause != "health") memory.cause = "crash";
  messages::FleetEvent event;
  event.at_ms = static_cast<std::uint64_t>(clock_.wall_now().time_since_epoch().count());
  event.event = action.event;
  event.node = node_;
  event.process = action.process;
  event.agent = action.agent;
  event.reason = action.reason;
  for (const ProcessView& view : processes) {
    if (view.name == action.process) event.restarts = view.restarts;
  }
  const bool is_end_of_sick = action.event == "agent_stopped" && memory.cause == "health";
  if (action.event == "agent_crashed" || is_end_of_sick) event.last_lines = last_lines;
  spdlog::log(is_bad(event.event) ? spdlog::level::warn : spdlog::level::info,
              "event={} process={} agent={} restarts={} reason={}", event.event, log_text(event.process),
              log_text(event.agent), event.restarts, log_text(event.reason));
  numbers_.count_event(event.event);
  recent_.push_back(event);
  if (recent_.size() > kRecentEvents) recent_.pop_front();
  return event;
}

bool FleetJournal::is_sick(const std::string& process) const {
  const auto found = memories_.find(process);
  return found != memories_.end() && found->second.cause == "health";
}

void FleetJournal::count_restarts(const std::vector<ProcessView>& processes) {
  for (const ProcessView& view : processes) {
    Memory& memory = memories_[view.name];
    if (view.restarts <= memory.counted) continue;
    memory.counted = view.restarts;
    numbers_.count_restart(view.name, std::exchange(memory.cause, "order"));
  }
}

messages::SupervisorReport FleetJournal::report(
    const messages::SupervisorList& list, const std::vector<ProcessView>& processes,
    const std::function<void(messages::SupervisedProcess& row)>& details) const {
  const TimePoint now = clock_.now();
  messages::SupervisorReport report;
  report.node = node_;
  const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(list.events, recent_.size()));
  report.events.assign(recent_.end() - count, recent_.end());
  for (const ProcessView& view : processes) {
    if (!list.process.empty() && list.process != view.name) continue;
    messages::SupervisedProcess& row = report.processes.emplace_back();
    row.name = view.name;
    row.state = name_of(view.state);
    row.restarts = view.restarts;
    row.state_ms = ms(now - view.since);
    row.next_start_ms = view.next_start ? ms(*view.next_start - now) : 0;
    row.reason = view.reason;
    details(row);
  }
  return report;
}

Result<messages::SupervisorDone> carry_out(const messages::SupervisorOrder& order, Policy& policy, TimePoint now) {
  using Order = Result<> (Policy::*)(std::string_view, TimePoint);
  static const std::map<std::string, Order> kOrders{{"restart", &Policy::restart},
                                                    {"drain", &Policy::drain},
                                                    {"quarantine", &Policy::quarantine},
                                                    {"release", &Policy::release}};
  const auto method = kOrders.find(order.what);
  if (method == kOrders.end()) {
    return fail(ErrorCode::invalid,
                fmt::format("no order '{}'; there are restart, drain, quarantine and release", order.what));
  }
  const Result<> done = (policy.*method->second)(order.process, now);
  if (!done) return fail(done.error());
  return messages::SupervisorDone{fmt::format("{}: {} has begun", order.process, order.what)};
}

}  // namespace parley::supervisor
