// An AgentHost in virtual time behind a port that the test plays: it decides what the broker says, and sees every
// envelope that the host submits. For what depends on the order of the host's and the link's events.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <gmock/gmock.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/random.hpp"
#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley {

using namespace std::chrono_literals;

/// One envelope that the host submitted.
struct Written {
  wire::Kind kind{};
  ErrorCode code{};
  std::uint64_t message_id = 0;
  std::uint64_t number = 0;  ///< delivery id or epoch
  std::string target;
  SessionToken session;
  std::string payload;
};

/// What the test and the host's port share.
struct Wire {
  std::vector<net::Inbound> inbound;
  std::vector<Written> written;
  std::vector<std::string> announced_types;
  SessionToken session;  ///< the link's: the host hears of it later
  TimePoint lease = TimePoint::max();
};

class FakePort final : public Port {
 public:
  explicit FakePort(Wire& wire) : wire_(wire) {}
  [[nodiscard]] std::size_t connection_count() const override { return 1; }
  void start() override {}
  void stop(const std::string& /*reason*/) override {}
  void add_type(std::size_t /*connection*/, wire::TypeRegistration type) override {
    wire_.announced_types.push_back(std::move(type.name));
  }
  void remove_type(std::size_t /*connection*/, std::string name) override { std::erase(wire_.announced_types, name); }
  void add_subscription(std::size_t /*connection*/, wire::SubscriptionBody /*subscription*/) override {}
  void remove_subscription(std::size_t /*connection*/, std::uint64_t /*id*/) override {}
  void submit(std::size_t /*connection*/, ByteBuffer batch, SessionToken session) override {
    for (Bytes rest = batch.bytes(); !rest.empty();) {
      const auto envelope = wire::EnvelopeView::parse(rest);
      ASSERT_TRUE(envelope.has_value());
      wire_.written.push_back({envelope->kind(), envelope->code(), envelope->message_id().value(),
                               envelope->delivery_id().value(), std::string(envelope->target()), session,
                               std::string(as_text(envelope->payload()))});
      rest = rest.subspan(envelope->length());
    }
  }
  void consumed(std::size_t /*connection*/, const net::Frame& /*frame*/) override {}
  bool take_inbound(std::vector<net::Inbound>& into) override {
    std::ranges::move(std::exchange(wire_.inbound, {}), std::back_inserter(into));
    return !into.empty();
  }
  [[nodiscard]] TimePoint lease_until(std::size_t /*connection*/, SessionToken session) const override {
    return session == wire_.session ? wire_.lease : TimePoint::min();
  }

 private:
  Wire& wire_;
};

class HostTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSession = 77;

  HostTest() { host_->attach(std::make_unique<FakePort>(wire_)); }
  ~HostTest() override { host_->close(); }

  /// Runs everything that needs no time.
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  template <class Script>
  void spawn(Script script) {
    asio::co_spawn(io_, std::move(script), asio::detached);
    settle();
  }
  void start() {
    spawn([this]() -> Task<> { (void)co_await host_->start(1s); });
  }
  /// Hosts a function and opens a session. The type's index is 0.
  void serve(std::string type, Closure closure, TypeOptions options = {}) {
    spawn([this, type = std::move(type), closure = std::move(closure), options]() -> Task<> {
      EXPECT_TRUE((co_await host_->register_closure(type, closure, {}, options)).has_value());
    });
    start();
    open_session();
  }
  void happens(link::LinkEvent event) {
    wire_.inbound.push_back({0, std::move(event)});
    host_->pump();
    settle();
  }
  void open_session(std::uint64_t token = kSession) {
    wire::Welcome welcome;
    welcome.token = token;
    wire_.session = SessionToken(token);
    happens(link::SessionReady{welcome});
  }
  void lose_session(std::uint64_t last_sent = 0) {
    wire_.session = {};
    happens(link::SessionLost{.reason = "test", .last_sent = MessageId(last_sent)});
  }
  /// One bundle from the broker, which stays in the inbox until the host pumps.
  void queue(const std::vector<wire::EnvelopeFields>& envelopes) {
    ByteBuffer frame;
    wire::begin_bundle(frame, SessionToken(kSession));
    for (const auto& fields : envelopes) EXPECT_TRUE(wire::append_envelope(frame, fields).has_value());
    wire_.inbound.push_back({0, net::Frame(std::move(frame))});
  }
  void receive(const std::vector<wire::EnvelopeFields>& envelopes) {
    queue(envelopes);
    host_->pump();
    settle();
  }
  static wire::EnvelopeFields activation(std::string_view id, std::uint64_t epoch = 1) {
    return {.kind = wire::Kind::activate, .delivery_id = epoch, .recipient = 0, .target = id};
  }
  static wire::EnvelopeFields request(std::string_view id, std::uint64_t delivery,
                                      std::uint32_t remaining_ms = wire::kNoDeadline, Bytes attributes = {}) {
    return {.kind = wire::Kind::request,
            .delivery_id = delivery,
            .remaining_ms = remaining_ms,
            .recipient = 0,
            .target = id,
            .attributes = attributes};
  }
  static wire::EnvelopeFields inspection(std::string_view id, std::uint64_t question) {
    return {.kind = wire::Kind::inspect, .message_id = question, .target = id};
  }
  /// As the next heartbeat would tell them.
  [[nodiscard]] wire::WorkerVitals vitals() {
    host_->post_vitals();
    return host_->vitals_board()->read(clock_.now());
  }
  void pass(Duration step) {
    clock_.advance(step);
    host_->run_due();
    settle();
  }
  /// The answers to deliveries so far: `ok` or the error's code.
  [[nodiscard]] std::vector<std::string> answers() const {
    std::vector<std::string> codes;
    for (const Written& written : wire_.written) {
      if (written.kind == wire::Kind::reply) codes.emplace_back("ok");
      if (written.kind == wire::Kind::error) codes.push_back(to_string(written.code));
    }
    return codes;
  }
  [[nodiscard]] std::size_t count(wire::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(wire_.written, kind, &Written::kind));
  }

  asio::io_context io_;
  ManualClock clock_;
  SeededRandom random_{1};
  Wire wire_;
  std::shared_ptr<AgentHost> host_ = AgentHost::make(io_, clock_, random_, AgentHost::Timing::stepped);
};

}  // namespace parley
