#include "services/supervisor/fleet.hpp"

#include <asio/post.hpp>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

namespace parley::supervisor {

Fleet::Fleet(asio::io_context& io, const Clock& clock, Random& random, FleetOptions options, FleetHands& hands)
    : io_(io),
      clock_(clock),
      options_(std::move(options)),
      hands_(hands),
      policy_(options_.policy, random),
      checkups_(options_.absence),
      journal_(options_.node, clock),
      quarantine_watch_(supervisor_peer(options_.node)),
      signals_(io, SIGTERM, SIGINT),
      tick_timer_(io) {}

Result<> Fleet::open() {
  if (Result<> connected = make_bus(); !connected) return connected;
  return serve_health();
}

Result<> Fleet::make_bus() {
  BusEvents events;
  events.on_broker = [this](bool is_there) {
    policy_.on_broker(is_there, clock_.now());
    perform();
  };
  events.on_ps = [this](const wire::PsReport& report) { take_ps(report); };
  events.on_list = [this](const messages::SupervisorList& list) { return report_of(list); };
  events.on_order = [this](const messages::SupervisorOrder& order) { return follow(order); };
  auto bus =
      BusLink::make(io_, clock_, {options_.node, options_.broker, options_.is_insecure_allowed}, std::move(events));
  if (!bus) return fail(bus.error());
  bus_ = std::move(*bus);
  return {};
}

Result<> Fleet::serve_health() {
  monitoring::MetricsServerOptions server;
  server.address = options_.metrics_address;
  server.is_insecure_allowed = options_.is_insecure_allowed;
  server.port = options_.metrics_port;
  server.is_ready = [this] { return hands_.why_not_ready(); };
  auto started = monitoring::MetricsServer::start(std::move(server), {&board_, &process_metrics_}, clock_);
  if (!started) return fail(started.error());
  server_ = std::move(*started);
  return {};
}

void Fleet::start(std::function<void()> on_asked_to_stop) {
  signals_.async_wait([then = std::move(on_asked_to_stop)](std::error_code failure, int) {
    if (!failure) then();
  });
  bus_->start();
}

void Fleet::say_ready() const {
  std::cout << nlohmann::json{{"event", "ready"}, {"name", "supervisor"}, {"metrics_port", server_->port()}}.dump()
            << std::endl;
}

void Fleet::perform() {
  hands_.prepare();
  bool has_acted = false;
  for (auto actions = policy_.take_actions(); !actions.empty(); actions = policy_.take_actions()) {
    has_acted = true;
    for (const Action& action : actions) carry_out(action);
    hands_.prepare();
  }
  journal_.count_restarts(policy_.processes());
  board_.post(journal_.numbers(policy_.processes()));
  tick_timer_.cancel();
  hands_.settle(has_acted);
  const auto next = policy_.next_tick();
  if (!next || policy_.is_all_stopped()) return;
  tick_timer_.expires_at(*next);
  tick_timer_.async_wait([this](std::error_code failure) {
    if (failure) return;
    policy_.tick(clock_.now());
    perform();
  });
}

void Fleet::carry_out(const Action& action) {
  switch (action.kind) {
    case Action::Kind::start:
      return hands_.start(action.process);
    case Action::Kind::stop:
      return hands_.stop(action.process);
    case Action::Kind::kill:
      return hands_.kill(action.process);
    case Action::Kind::find_culprits:
      return checkups_.inquire(action.process, hands_.last_pid(action.process), clock_.now());
    case Action::Kind::find_lost_work:
      return checkups_.inquire(action.process, hands_.last_pid(action.process), clock_.now(),
                               Checkups::Witness::broker_only);
    case Action::Kind::quarantine_agent:
      return bus_->quarantine(action.agent, action.reason);
    case Action::Kind::report:
      return report(action);
  }
}

void Fleet::report(const Action& action) {
  bus_->publish(journal_.note(action, policy_.processes(), hands_.last_lines(action.process)));
}

void Fleet::take_ps(const wire::PsReport& report) {
  const TimePoint now = clock_.now();
  for (const auto& [process, checkup] : checkups_.look(report, hands_.running(policy_.processes()), now)) {
    policy_.on_checkup(process, checkup, now);
  }
  for (const Checkups::Finding& finding : checkups_.findings(now)) {
    policy_.on_culprits(finding.process, finding.executing, now);
  }
  for (const QuarantineWatch::Change& change : quarantine_watch_.look(report, bus_->quarantined_agents())) {
    messages::FleetEvent event = journal_.note(change.news, policy_.processes(), {});
    if (change.is_told_here) bus_->publish(std::move(event));
  }
  perform();
}

messages::SupervisorReport Fleet::report_of(const messages::SupervisorList& list) const {
  messages::SupervisorReport report =
      journal_.report(list, policy_.processes(), [this](messages::SupervisedProcess& row) { hands_.describe(row); });
  report.quarantined_agents = bus_->quarantined_agents();
  return report;
}

Result<messages::SupervisorDone> Fleet::follow(messages::SupervisorOrder order) {
  order.process = hands_.process_called(order.process);
  Result<messages::SupervisorDone> done = supervisor::carry_out(order, policy_, clock_.now());
  // After the reply: an order may stop what carries it.
  if (done) asio::post(io_, [this] { perform(); });
  return done;
}

void Fleet::stop(std::function<void()> then) {
  tick_timer_.cancel();
  bus_->stop(std::move(then));
}

}  // namespace parley::supervisor
