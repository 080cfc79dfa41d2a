#include "libmsg/net/io_thread.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "libmsg/core/random.hpp"
#include "libmsg/net/dealer.hpp"
#include "libmsg/net/endpoint.hpp"
#include "libmsg/net/io_queues.hpp"
#include "libmsg/net/refuse.hpp"

namespace parley::net {
namespace {

/// Frames taken from one connection before the others, the outgoing ones and the loop get their turn.
constexpr int kFramesPerRound = 256;
constexpr Duration kLongestSleep = std::chrono::seconds(1);

}  // namespace

class IoThread::Impl {
 public:
  Impl(IoThreadOptions options, std::vector<Endpoint> endpoints, std::function<void()> wake)
      : options_(std::move(options)),
        queues_(options_.max_inbound_bytes, options_.max_outbound_bytes, std::move(wake)) {
    context_.set(zmq::ctxopt::blocky, 0);
    for (Endpoint& endpoint : endpoints)
      connections_.emplace_back(context_, std::move(endpoint), options_.link, random_);
  }

  // Loop thread ----------------------------------------------------------------------------------------------------

  void start() {
    if (thread_.joinable() || queues_.is_stop_asked()) return;
    // Signals belong to the loop thread.
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void stop(const std::string& reason) {
    queues_.ask_stop(reason);
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
  [[nodiscard]] TimePoint lease_until(std::size_t connection, SessionToken session) const {
    // In the reverse order of publish_lease(): a lease of a later session comes with that session's token.
    const TimePoint lease(Duration(connections_[connection].lease_until.load(std::memory_order_acquire)));
    return connections_[connection].session.load(std::memory_order_acquire) == session.value() ? lease
                                                                                               : TimePoint::min();
  }
  [[nodiscard]] bool is_ready(std::size_t connection) const {
    return connections_[connection].is_ready.load(std::memory_order_relaxed);
  }

  void post(Command command) { queues_.post(std::move(command)); }

  void submit(std::size_t connection, ByteBuffer batch, SessionToken session) {
    if (batch.is_empty()) return;
    if (!queues_.take_room(batch.size())) {
      Refused refused =
          refuse(batch.bytes(), {ErrorCode::overloaded, "too many messages wait to be sent; try again later"});
      if (!refused.answers.is_empty()) queues_.deliver({connection, Frame(std::move(refused.answers))});
      batch = std::move(refused.rest);
      if (batch.is_empty()) return;
      queues_.take_room_anyway(batch.size());
    }
    post({connection, SubmitBatch{std::move(batch), session}});
  }

  void consumed(std::size_t connection, const Frame& frame) {
    const std::size_t cost = link::credit_cost(frame.bytes());
    if (cost == 0) return;
    const auto bundle = wire::BundleReader::open(frame.bytes());
    if (!bundle || bundle->token().is_zero()) return;
    Connection& at = connections_[connection];
    if (bundle->token() != at.consumed_session) at.consumed_bytes = 0;
    at.consumed_session = bundle->token();
    at.consumed_bytes += cost;
    // Small amounts ride along with a batch that is due anyway, or with a heartbeat, instead of waking the thread.
    const bool is_much = at.consumed_bytes >= link::max_unreported(options_.link.credit_bytes);
    const Consumed report{at.consumed_bytes, at.consumed_session};
    if (is_much) {
      post({connection, report});
    } else if (!queues_.ride_along(connection, report)) {
      return;
    }
    at.consumed_bytes = 0;
  }

  bool take_inbound(std::vector<Inbound>& into) { return queues_.take_inbound(into); }

 private:
  struct Connection {
    Connection(zmq::context_t& context, Endpoint endpoint, const link::PeerLinkConfig& config, Random& random)
        : dealer(context, std::move(endpoint)), link(config, random) {}

    // I/O thread.
    Dealer dealer;
    link::PeerLink link;
    bool is_full = false;

    // Loop thread.
    SessionToken consumed_session;
    std::size_t consumed_bytes = 0;

    // Written by the I/O thread, read by any.
    std::atomic<std::uint64_t> session{0};
    std::atomic<Duration::rep> lease_until{TimePoint::min().time_since_epoch().count()};
    std::atomic<bool> is_ready{false};
  };

  // I/O thread -----------------------------------------------------------------------------------------------------

  void run() {
    pthread_setname_np(pthread_self(), "parley-io");
    std::optional<TimePoint> give_up_at;
    while (true) {
      const TimePoint now = clock_.now();
      take_commands(now);
      if (queues_.is_stop_asked() && !give_up_at) {
        give_up_at = now + options_.linger;
        say_goodbye(now);
      }
      bool is_busy = false;
      for (std::size_t i = 0; i < connections_.size(); ++i) is_busy = serve(i, now) || is_busy;
      queues_.publish(pending_);
      if (give_up_at && (now >= *give_up_at || std::ranges::all_of(connections_, [](const Connection& connection) {
                           return connection.link.is_closed();
                         }))) {
        break;
      }
      if (!is_busy) sleep(give_up_at);
    }
    close_all(*give_up_at);
  }

  void take_commands(TimePoint now) {
    queues_.take_commands(commands_);
    for (Command& command : commands_) {
      std::visit([&](auto& what) { apply(connections_[command.connection].link, command.connection, what, now); },
                 command.what);
    }
    commands_.clear();
  }

  void apply(link::PeerLink& link, std::size_t connection, SubmitBatch& what, TimePoint now) {
    queues_.take_back_room(what.batch.size());
    const auto taken = link.submit(what.batch.bytes(), now, what.session);
    if (taken) return;
    Refused refused = refuse(what.batch.bytes(), taken.error());
    if (!refused.answers.is_empty()) pending_.push_back({connection, Frame(std::move(refused.answers))});
    if (refused.rest.is_empty()) return;
    const auto rest = link.submit(refused.rest.bytes(), now, what.session);
    if (rest || link.is_closed()) return;
    spdlog::warn("event=answers_replaced bytes={} reason=\"{}\"", refused.rest.size(), rest.error().message);
    // Errors always find room in the link.
    static_cast<void>(link.submit(shorten(refused.rest.bytes(), rest.error()).bytes(), now, what.session));
  }
  void apply(link::PeerLink& link, std::size_t, wire::TypeRegistration& type, TimePoint) {
    link.add_type(std::move(type));
  }
  void apply(link::PeerLink& link, std::size_t, RemoveType& type, TimePoint) { link.remove_type(type.name); }
  void apply(link::PeerLink& link, std::size_t, wire::SubscriptionBody& subscription, TimePoint) {
    link.add_subscription(std::move(subscription));
  }
  void apply(link::PeerLink& link, std::size_t, RemoveSubscription& subscription, TimePoint) {
    link.remove_subscription(subscription.id);
  }
  void apply(link::PeerLink& link, std::size_t, Consumed& what, TimePoint) { link.consumed(what.bytes, what.session); }

  void say_goodbye(TimePoint now) {
    const std::string reason = queues_.stop_reason();
    for (Connection& connection : connections_) connection.link.say_goodbye(reason, now);
  }

  /// One round for one connection; true when there may be more to do at once.
  bool serve(std::size_t index, TimePoint now) {
    Connection& connection = connections_[index];
    if (connection.dealer.take_disconnected()) connection.link.on_disconnected(now);
    const bool has_more_input = receive(index, now);
    connection.link.on_tick(now);
    if (connection.link.take_reopen(now)) reopen(connection, now);
    send(connection, now);
    take_events(index);
    publish_lease(connection);
    connection.is_ready.store(connection.link.is_ready(), std::memory_order_relaxed);
    return has_more_input;
  }

  /// Before take_reopen() can close the connection of a session that was lost in this round: its link waits first.
  static void publish_lease(Connection& connection) {
    connection.session.store(connection.link.session().value(), std::memory_order_release);
    connection.lease_until.store(connection.link.lease_until().time_since_epoch().count(), std::memory_order_release);
  }

  void reopen(Connection& connection, TimePoint now) {
    if (const auto opened = connection.dealer.open(); !opened) {
      spdlog::warn("event=connect_failed reason=\"{}\"", opened.error().message);
    }
    connection.is_full = false;
    // Without a socket HELLO finds no answer in time, and the link asks again.
    connection.link.on_opened(now);
  }

  bool receive(std::size_t index, TimePoint now) {
    Connection& connection = connections_[index];
    if (!queues_.has_inbound_room()) return false;
    for (int i = 0; i < kFramesPerRound; ++i) {
      auto frame = connection.dealer.receive();
      if (!frame) return false;
      const bool is_for_host = connection.link.on_frame(frame->bytes(), now);
      take_events(index);
      if (is_for_host) pending_.push_back({index, std::move(*frame)});
    }
    return true;
  }

  void send(Connection& connection, TimePoint now) {
    connection.is_full = false;
    while (auto frame = connection.link.next_frame(now)) {
      auto refused = connection.dealer.send(std::move(*frame));
      if (!refused) continue;
      connection.link.give_back(std::move(*refused));
      connection.is_full = true;
      return;
    }
  }

  void take_events(std::size_t index) {
    while (auto event = connections_[index].link.take_event()) pending_.push_back({index, std::move(*event)});
  }

  void sleep(std::optional<TimePoint> give_up_at) {
    const bool has_room = queues_.has_inbound_room();
    std::vector<zmq::pollitem_t> items{{nullptr, queues_.wake_fd(), ZMQ_POLLIN, 0}};
    TimePoint until = clock_.now() + kLongestSleep;
    if (give_up_at) until = std::min(until, *give_up_at);
    for (Connection& connection : connections_) {
      connection.dealer.add_poll_items(items, {.has_room_for_input = has_room, .has_output = connection.is_full});
      until = std::min(until, connection.link.next_wakeup());
    }
    if (queues_.fall_asleep()) until = TimePoint::min();
    const auto left = std::max(Duration(0), until - std::min(until, clock_.now()));
    zmq::poll(items.data(), items.size(), std::chrono::ceil<std::chrono::milliseconds>(left));
    queues_.wake_up((items.front().revents & ZMQ_POLLIN) != 0);
  }

  void close_all(TimePoint give_up_at) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::max<Duration>(std::chrono::milliseconds(100), give_up_at - clock_.now()));
    for (Connection& connection : connections_) {
      // Only a link that ended in a session has last words; HELLO to nobody must not hold the process up.
      const bool has_last_words = !connection.link.session().is_zero();
      connection.dealer.close(has_last_words ? left : std::chrono::milliseconds(0));
    }
    context_.close();
  }

  const IoThreadOptions options_;
  IoQueues queues_;
  SystemClock clock_;
  SystemRandom random_;
  zmq::context_t context_;
  std::deque<Connection> connections_;  ///< fixed after construction
  std::thread thread_;
  // I/O thread: kept between rounds for their memory.
  std::vector<Command> commands_;
  std::vector<Inbound> pending_;
};

Result<std::unique_ptr<IoThread>> IoThread::make(IoThreadOptions options, std::function<void()> wake) {
  if (options.endpoints.empty()) return fail(ErrorCode::bad_configuration, "no broker endpoint is given");
  std::vector<Endpoint> endpoints;
  for (const std::string& text : options.endpoints) {
    auto endpoint = parse_endpoint(text, options.is_insecure_allowed ? Reach::anywhere : Reach::this_machine);
    if (!endpoint) return fail(std::move(endpoint).error());
    if (endpoint->transport == Endpoint::Transport::tcp && endpoint->port.empty()) {
      return fail(ErrorCode::bad_configuration, "endpoint '" + text + "': a port to connect to is missing");
    }
    if (auto checked = check_ipc_directory(*endpoint); !checked) return fail(std::move(checked).error());
    endpoints.push_back(std::move(*endpoint));
  }
  try {
    return std::unique_ptr<IoThread>(
        new IoThread(std::make_unique<Impl>(std::move(options), std::move(endpoints), std::move(wake))));
  } catch (const std::exception& failure) {
    return fail(ErrorCode::bad_configuration, std::string("cannot set up the I/O thread: ") + failure.what());
  }
}

IoThread::IoThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IoThread::~IoThread() { impl_->stop("stopping"); }

void IoThread::start() { impl_->start(); }
std::size_t IoThread::connection_count() const { return impl_->connection_count(); }
void IoThread::add_type(std::size_t connection, wire::TypeRegistration type) {
  impl_->post({connection, std::move(type)});
}
void IoThread::remove_type(std::size_t connection, std::string name) {
  impl_->post({connection, RemoveType{std::move(name)}});
}
void IoThread::add_subscription(std::size_t connection, wire::SubscriptionBody subscription) {
  impl_->post({connection, std::move(subscription)});
}
void IoThread::remove_subscription(std::size_t connection, std::uint64_t id) {
  impl_->post({connection, RemoveSubscription{id}});
}
void IoThread::submit(std::size_t connection, ByteBuffer batch, SessionToken session) {
  impl_->submit(connection, std::move(batch), session);
}
void IoThread::consumed(std::size_t connection, const Frame& frame) { impl_->consumed(connection, frame); }
bool IoThread::take_inbound(std::vector<Inbound>& into) { return impl_->take_inbound(into); }
TimePoint IoThread::lease_until(std::size_t connection, SessionToken session) const {
  return impl_->lease_until(connection, session);
}
bool IoThread::is_ready(std::size_t connection) const { return impl_->is_ready(connection); }
void IoThread::stop(const std::string& reason) { impl_->stop(reason); }

}  // namespace parley::net
