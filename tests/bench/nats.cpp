// The other peer: nats-server with its C client, used as its documentation advises (asynchronous subscriptions, one
// reply inbox; publishing is buffered when many messages are under way and immediate when few are, whichever is
// faster).
#include "tests/bench/roles.hpp"

#ifdef PARLEY_HAVE_NATS
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <nats/nats.h>
#include <stdexcept>
#include <vector>

namespace parley::bench {
namespace {

void check(natsStatus status, const char* what) {
  if (status != NATS_OK) throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

struct ConnectionDeleter {
  void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }
};
struct SubscriptionDeleter {
  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }
};
using Connection = std::unique_ptr<natsConnection, ConnectionDeleter>;
using Subscription = std::unique_ptr<natsSubscription, SubscriptionDeleter>;

Connection connect(const std::string& endpoint, bool is_immediate) {
  natsOptions* options = nullptr;
  check(natsOptions_Create(&options), "nats options");
  check(natsOptions_SetURL(options, endpoint.c_str()), "nats url");
  check(natsOptions_SetSendAsap(options, is_immediate), "nats send asap");
  check(natsOptions_SetMaxPendingMsgs(options, 10'000'000), "nats pending");
  natsConnection* connection = nullptr;
  const natsStatus status = natsConnection_Connect(&connection, options);
  natsOptions_Destroy(options);
  check(status, "nats connect");
  return Connection(connection);
}

/// The C client's buffer is flushed by a timer of about a millisecond, which only pays with many messages under way.
/// Under an open loop (window 0) the rates here are beyond what it does without the buffer.
bool is_immediate_better(std::uint32_t window) { return window != 0 && window <= 64; }

std::uint64_t sequence_of(natsMsg* message) {
  std::uint64_t sequence = 0;
  std::memcpy(&sequence, natsMsg_GetData(message), sizeof sequence);
  return sequence;
}

class NatsTransport final : public Transport {
 public:
  NatsTransport(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes, std::uint32_t window)
      : pattern_(pattern),
        connection_(connect(endpoint, is_immediate_better(window))),
        payload_(std::max<std::size_t>(payload_bytes, 8), 'x') {
    natsSubscription* subscription = nullptr;
    check(natsConnection_Subscribe(&subscription, connection_.get(), kInbox, &NatsTransport::on_message, this),
          "subscribe");
    subscription_.reset(subscription);
    check(natsConnection_Flush(connection_.get()), "flush");
  }
  ~NatsTransport() override {
    subscription_.reset();
    connection_.reset();
  }
  NatsTransport(const NatsTransport&) = delete;
  NatsTransport& operator=(const NatsTransport&) = delete;

  void send(std::uint64_t sequence) override {
    std::memcpy(payload_.data(), &sequence, sizeof sequence);
    check(natsConnection_PublishRequest(connection_.get(), "bench.echo", kInbox, payload_.data(),
                                        static_cast<int>(payload_.size())),
          "publish");
  }

  void pump(std::chrono::microseconds timeout, const std::function<void(std::uint64_t)>& finished) override {
    {
      std::unique_lock lock(mutex_);
      arrived_.wait_for(lock, timeout, [this] { return !sequences_.empty(); });
      taken_.swap(sequences_);
    }
    for (const std::uint64_t sequence : taken_) {
      if (pattern_ == Pattern::round_trip) {
        finished(sequence);
      } else {
        receipts_.up_to(sequence, finished);
      }
    }
    taken_.clear();
  }

 private:
  static constexpr const char* kInbox = "bench.inbox";
  static void on_message(natsConnection* /*connection*/, natsSubscription* /*subscription*/, natsMsg* message,
                         void* self) {
    auto* transport = static_cast<NatsTransport*>(self);
    {
      const std::lock_guard lock(transport->mutex_);
      transport->sequences_.push_back(sequence_of(message));
    }
    transport->arrived_.notify_one();
    natsMsg_Destroy(message);
  }

  Pattern pattern_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::uint64_t> sequences_;  // guarded by mutex_
  std::vector<std::uint64_t> taken_;
  Connection connection_;
  Subscription subscription_;
  std::vector<char> payload_;
  CumulativeReceipts receipts_;
};

/// One receiving connection.
struct NatsReceiver {
  Pattern pattern;
  bool is_confirming;
  Connection connection;
  Subscription subscription;
  Received received;
};

void on_delivery(natsConnection* connection, natsSubscription* subscription, natsMsg* message, void* closure) {
  auto* receiver = static_cast<NatsReceiver*>(closure);
  const std::uint64_t sequence = sequence_of(message);
  if (receiver->pattern == Pattern::round_trip) {
    natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message),
                           natsMsg_GetDataLength(message));
  } else {
    receiver->received.count(sequence);
    int waiting = 0;
    natsSubscription_GetPending(subscription, &waiting, nullptr);
    if (receiver->is_confirming && (sequence % kReceiptEvery == 0 || waiting == 0)) {
      natsConnection_Publish(connection, natsMsg_GetReply(message), &sequence, sizeof sequence);
    }
  }
  natsMsg_Destroy(message);
}

}  // namespace

std::unique_ptr<Transport> make_nats_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes,
                                            std::uint32_t window) {
  return std::make_unique<NatsTransport>(endpoint, pattern, payload_bytes, window);
}

int run_nats_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections, std::uint32_t window) {
  Closing closing;
  std::vector<std::unique_ptr<NatsReceiver>> receivers;
  for (std::uint32_t i = 0; i < connections; ++i) {
    auto receiver = std::make_unique<NatsReceiver>();
    receiver->pattern = pattern;
    receiver->is_confirming = i + 1 == connections;
    receiver->connection = connect(endpoint, is_immediate_better(window));
    natsSubscription* subscription = nullptr;
    check(
        natsConnection_Subscribe(&subscription, receiver->connection.get(), "bench.echo", &on_delivery, receiver.get()),
        "subscribe");
    receiver->subscription.reset(subscription);
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "pending limits");
    check(natsConnection_Flush(receiver->connection.get()), "flush");
    receivers.push_back(std::move(receiver));
  }
  announce_ready(endpoint);
  const auto tally = [&receivers] {
    Tally all;
    for (const auto& receiver : receivers) all.add(receiver->received);
    return all;
  };
  while (!closing.is_over(tally())) nats_Sleep(20);
  Closing::report(tally());
  return 0;
}

bool is_nats_built_in() { return true; }

}  // namespace parley::bench

#else

namespace parley::bench {

std::unique_ptr<Transport> make_nats_client(const std::string&, Pattern, std::size_t, std::uint32_t) { return nullptr; }
int run_nats_worker(const std::string&, Pattern, std::uint32_t, std::uint32_t) { return 2; }
bool is_nats_built_in() { return false; }

}  // namespace parley::bench

#endif
