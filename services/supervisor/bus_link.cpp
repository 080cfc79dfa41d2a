#include "services/supervisor/bus_link.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <spdlog/spdlog.h>
#include <utility>

#include "libmsg/runtime/worker_runtime.hpp"
#include "monitoring/log.hpp"

namespace parley::supervisor {
namespace {

constexpr std::chrono::milliseconds kGrace{500};
/// Events that wait for a broker; the oldest give way, the log has them all.
constexpr std::size_t kMaxWaiting = 256;

}  // namespace

/// The agent that answers lists and orders.
class BusLink::Front final : public TypedAgent<BusLink::Front, messages::SupervisorList, messages::SupervisorOrder> {
 public:
  explicit Front(const BusEvents& events) : events_(events) {}
  Task<Result<messages::SupervisorReport>> on(const messages::SupervisorList& list, Context& /*context*/) {
    co_return events_.on_list(list);
  }
  Task<Result<messages::SupervisorDone>> on(const messages::SupervisorOrder& order, Context& /*context*/) {
    co_return events_.on_order(order);
  }

 private:
  const BusEvents& events_;
};

struct BusLink::Impl {
  /// An agent id that is to be out of service.
  struct Quarantine {
    std::string reason;
    /// The run of the broker that knows about it; 0: none yet.
    std::uint64_t known_to = 0;
  };

  asio::io_context& io;
  const Clock& clock;
  AgentId self;
  Topic topic;
  BusEvents events;
  std::unique_ptr<Runtime> runtime;
  asio::steady_timer timer;
  std::deque<messages::FleetEvent> waiting = {};
  std::map<std::string, Quarantine> quarantined = {};
  bool is_flush_due = false;
  int flushes = 0;  ///< under way
  bool was_there = true;

  Task<> run() {
    const auto front = std::make_shared<Front>(events);
    if (const Result<> hosted = co_await runtime->register_instance(self, front); !hosted) {
      spdlog::error("event=bus_link_failed reason={}", monitoring::log_text(hosted.error().message));
      co_return;
    }
    // Goes on trying by itself when it fails.
    (void)co_await runtime->start(kLookInterval);
    for (;;) {
      note_broker(runtime->is_connected());
      if (runtime->is_connected()) {
        co_await look();
        co_await flush_alone();
      }
      timer.expires_after(kLookInterval);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  void note_broker(bool is_there) {
    if (std::exchange(was_there, is_there) != is_there) events.on_broker(is_there);
  }

  Task<> look() {
    wire::Query query{.what = "ps", .key = {}, .limit = 1000};
    const Result<Payload> answer = co_await runtime->query(std::move(query));
    if (!answer) co_return;
    const auto report = wire::decode_body<wire::PsReport>(as_bytes(answer->bytes));
    if (!report) {
      spdlog::error("event=ps_unreadable reason={}", monitoring::log_text(report.error().message));
      co_return;
    }
    events.on_ps(*report);
    co_await apply_quarantines(*report);
  }

  /// Tells a broker that does not know, and forgets what somebody has released there.
  Task<> apply_quarantines(const wire::PsReport& report) {
    for (auto it = quarantined.begin(); it != quarantined.end();) {
      auto& [agent, entry] = *it;
      const bool is_listed =
          std::ranges::any_of(report.quarantines, [&](const wire::PsQuarantine& row) { return row.key == agent; });
      if (!is_listed && entry.known_to == report.shard_epoch) {
        it = quarantined.erase(it);
        continue;
      }
      if (is_listed) {
        entry.known_to = report.shard_epoch;
      } else {
        wire::Operate operate{"quarantine", agent, entry.reason};
        const auto done = co_await runtime->operate(std::move(operate));
        if (!done) {
          spdlog::warn("event=quarantine_refused agent={} reason={}", monitoring::log_text(agent),
                       monitoring::log_text(done.error().message));
        }
      }
      ++it;
    }
  }

  /// One at a time keeps the order also when the broker goes away.
  Task<> flush_alone() {
    is_flush_due = false;
    if (flushes == 0) co_await flush();
  }

  /// An event is taken out while it is on its way, since the last flush, at the end, may overtake the one under way.
  Task<> flush() {
    flushes++;
    while (!waiting.empty()) {
      messages::FleetEvent event = std::move(waiting.front());
      waiting.pop_front();
      const auto published = co_await runtime->client().publish(topic, event);
      if (published) continue;
      waiting.push_front(std::move(event));
      bound_waiting();
      break;
    }
    flushes--;
  }

  void bound_waiting() {
    if (waiting.size() > kMaxWaiting) waiting.pop_front();
  }

  Task<> say_goodbye(std::function<void()> then) {
    if (runtime->is_connected()) co_await flush();
    co_await runtime->stop(kGrace);
    then();
  }
};

std::string supervisor_peer(const std::string& node) { return "supervisor/" + node; }

Result<std::unique_ptr<BusLink>> BusLink::make(asio::io_context& io, const Clock& clock, BusLinkOptions options,
                                               BusEvents events) {
  const Result<AgentId> self = AgentId::make(messages::kSupervisorType, options.node);
  if (!self) return fail(self.error());
  const Result<Topic> topic = Topic::make(messages::kEventsTopic, options.node);
  if (!topic) return fail(topic.error());
  WorkerRuntimeOptions runtime_options;
  runtime_options.name = supervisor_peer(options.node);
  runtime_options.brokers = {options.broker};
  runtime_options.is_insecure_allowed = options.is_insecure_allowed;
  Result<std::unique_ptr<Runtime>> runtime = make_worker_runtime(io, std::move(runtime_options));
  if (!runtime) return fail(runtime.error());
  std::unique_ptr<Impl> impl(
      new Impl{io, clock, *self, *topic, std::move(events), std::move(*runtime), asio::steady_timer(io)});
  return std::unique_ptr<BusLink>(new BusLink(std::move(impl)));
}

BusLink::BusLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BusLink::~BusLink() = default;

void BusLink::start() { asio::co_spawn(impl_->io, impl_->run(), asio::detached); }

void BusLink::stop(std::function<void()> then) {
  asio::co_spawn(impl_->io, impl_->say_goodbye(std::move(then)), asio::detached);
}

void BusLink::publish(messages::FleetEvent event) {
  impl_->waiting.push_back(std::move(event));
  impl_->bound_waiting();
  if (!impl_->runtime->is_connected() || std::exchange(impl_->is_flush_due, true)) return;
  asio::co_spawn(impl_->io, impl_->flush_alone(), asio::detached);
}

void BusLink::quarantine(std::string agent, std::string reason) {
  impl_->quarantined[std::move(agent)] = {std::move(reason), 0};
}

std::vector<std::string> BusLink::quarantined_agents() const {
  std::vector<std::string> agents;
  for (const auto& [agent, entry] : impl_->quarantined) agents.push_back(agent);
  return agents;
}

}  // namespace parley::supervisor
