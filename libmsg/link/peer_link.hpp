// The peer's side of a session (PROTOCOL.md §Peer state machine): HELLO and WELCOME, heartbeats and the lease, credit,
// bundling of what the host submits, RESET and reconnection. Pure: a shell (net::IoThread, LocalRuntime, the
// simulation) moves the frames and the time. It also mirrors what the process has registered, subscribed and activated,
// so that it can say HELLO again while the loop thread is busy.
// One thread: the one that owns the socket.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::link {

struct PeerLinkConfig {
  std::string name;
  std::uint64_t incarnation = 0;
  bool is_worker = false;
  /// Data the broker may have outstanding towards this peer.
  std::uint64_t credit_bytes = std::uint64_t{16} * 1024 * 1024;
  std::chrono::milliseconds hello_timeout{2000};
  BackoffPolicy reconnect{std::chrono::milliseconds(50), std::chrono::milliseconds(5000)};
  /// Envelopes and bytes that may wait here while there is no session.
  std::size_t max_waiting_envelopes = 65'536;
  std::size_t max_waiting_bytes = std::size_t{64} * 1024 * 1024;
};

/// A session was granted.
struct SessionReady {
  wire::Welcome welcome;
};
/// The session is over. Requests whose message id is at most `last_sent` may have reached the broker: their outcome is
/// unknown. Later ones still wait here and go out with the next session.
struct SessionLost {
  std::string reason;
  MessageId last_sent;
};
/// The broker asks for no new work (DRAIN) before it goes away.
struct DrainRequested {};
/// The broker says that another worker has this activation now.
using LinkEvent = std::variant<SessionReady, SessionLost, DrainRequested>;

class PeerLink {
 public:
  /// `random` must outlive the link.
  PeerLink(PeerLinkConfig config, Random& random);

  // What HELLO announces. The host calls these before it submits the matching control request, so that a HELLO sent in
  // between already carries it.
  void add_type(wire::TypeRegistration type);
  void remove_type(const std::string& name);
  void add_subscription(wire::SubscriptionBody subscription);
  void remove_subscription(std::uint64_t id);

  /// The shell opened a fresh connection: HELLO goes out.
  void on_opened(TimePoint now);
  /// The transport says that the connection broke (a hint, may never come).
  void on_disconnected(TimePoint now);
  /// One frame from the broker. Control envelopes are dealt with here. Returns true when the frame also has envelopes
  /// for the host (data, ACTIVATE, PASSIVATE, EVICT, ACCEPTED), which then walks the frame with wire::BundleReader.
  bool on_frame(Bytes frame, TimePoint now);
  /// Heartbeats, time limits, reconnection.
  void on_tick(TimePoint now);
  [[nodiscard]] TimePoint next_wakeup() const;

  /// Encoded envelopes, back to back, from the host, in order; message ids ascend. Fails with `overloaded` when too much
  /// waits for a session; then nothing of it was taken.
  Result<> submit(Bytes envelopes, TimePoint now);
  /// The host has taken this many bytes of delivered frames off its queue (renews the broker's credit).
  void consumed(std::size_t bytes);
  /// Ends the session in good order: GOODBYE, then closed. Idempotent.
  void say_goodbye(const std::string& reason, TimePoint now);

  /// The next frame to send; nullopt when there is none. When the transport cannot take it, give it back.
  std::optional<ByteBuffer> next_frame(TimePoint now);
  void give_back(ByteBuffer frame);
  /// True once after the link wants its connection closed (linger 0) and a fresh one opened; then call on_opened().
  bool take_reopen(TimePoint now);
  [[nodiscard]] std::optional<LinkEvent> take_event();

  [[nodiscard]] bool is_ready() const;
  /// Until when the broker surely still counts on this peer; turns must not start after it (self-fencing).
  [[nodiscard]] TimePoint lease_until() const;
};

}  // namespace parley::link
