// The peer's side of a session (PROTOCOL.md §Peer state machine): HELLO and WELCOME, heartbeats and the lease, credit,
// bundling of what the host submits, RESET and reconnection. Pure: a shell (net::IoThread, LocalRuntime, the
// simulation) moves the frames and the time. It also mirrors what the process has registered, subscribed and activated,
// so that it can say HELLO again while the loop thread is busy.
// One thread: the one that owns the socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
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
  /// Data the broker may have outstanding towards this peer.
  std::uint64_t credit_bytes = std::uint64_t{16} * 1024 * 1024;
  std::chrono::milliseconds hello_timeout{2000};
  /// Its longest delay is well below the broker's recovery window, so that a worker is back before the window ends.
  BackoffPolicy reconnect{std::chrono::milliseconds(50), std::chrono::milliseconds(1000)};
  /// Envelopes and bytes that may wait here while there is no session.
  std::size_t max_waiting_envelopes = 65'536;
  std::size_t max_waiting_bytes = std::size_t{64} * 1024 * 1024;
  /// Body of each heartbeat (an encoded wire::WorkerVitals), asked for when it goes out; unset: none.
  std::function<ByteBuffer(TimePoint now)> vitals{};
};

/// A session was granted.
struct SessionReady {
  wire::Welcome welcome;
};
/// The session is over. Requests whose message id is at most `last_sent` may have reached the broker: their outcome is
/// unknown. Later ones still wait here and go out with the next session. Replies that waited are gone: they belonged to
/// deliveries of the lost session.
struct SessionLost {
  std::string reason;
  MessageId last_sent;
};
/// The broker answered HELLO with a refusal; the link tries again after a pause.
struct SessionRefused {
  std::string reason;
};
/// The broker asks for no new work (DRAIN) before it goes away.
struct DrainRequested {};
using LinkEvent = std::variant<SessionReady, SessionLost, SessionRefused, DrainRequested>;

/// What went otherwise than a calm session; since construction.
struct LinkCounters {
  std::uint64_t sessions = 0;
  std::uint64_t stale_frames = 0;       ///< received with the token of another session
  std::uint64_t malformed_frames = 0;   ///< received, not a bundle or broken inside
  std::uint64_t dropped_envelopes = 0;  ///< from the host, bound to a session that was over
  std::uint64_t expired_envelopes = 0;  ///< from the host, deadline passed while waiting here
};

/// What a received frame takes of the broker's credit: all its bytes when it is a data frame, 0 for a control frame.
[[nodiscard]] std::size_t credit_cost(Bytes frame);

/// How much of a credit window may be consumed and unreported in one place (the link, and the host's side of it). What
/// both hold back never keeps the largest frame from fitting the rest of the window: a small window holds nothing back.
[[nodiscard]] std::uint64_t max_unreported(std::uint64_t credit_bytes);

/// True for kinds that mean nothing outside the session in which they were written (replies, DONE, PASSIVATE, …);
/// requests, one-way messages and control requests may wait for the next session instead.
[[nodiscard]] bool is_session_bound(wire::Kind kind);

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
  /// for the host (data, ACTIVATE, PASSIVATE, EVICT, INSPECT, ACCEPTED), which then walks the frame with
  /// wire::BundleReader.
  bool on_frame(Bytes frame, TimePoint now);
  /// Heartbeats, time limits, reconnection.
  void on_tick(TimePoint now);
  /// The next heartbeat goes out now, ahead of what waits.
  void beat() { is_heartbeat_due_ = true; }
  [[nodiscard]] TimePoint next_wakeup() const;

  /// Encoded envelopes, back to back, from the host, in order; message ids ascend. `written_in` is the session that the
  /// host had heard of when it wrote them (not given: the current one): what is bound to another session is dropped and
  /// counted. Fails with `overloaded` when too much waits (never for errors, DONE and the like alone), `invalid` when
  /// `envelopes` is malformed, `shutting_down` after say_goodbye(); then nothing of it was taken.
  Result<> submit(Bytes envelopes, TimePoint now, std::optional<SessionToken> written_in = std::nullopt);
  /// The host has taken frames with this credit_cost() off its queue (renews the broker's credit). `session`: the one
  /// they came in, by default the current one; another one's bytes no longer count.
  void consumed(std::size_t bytes, std::optional<SessionToken> session = std::nullopt);
  /// Ends the session in good order: what waits, then GOODBYE, then is_closed(). Without a session it is closed at
  /// once. Idempotent.
  void say_goodbye(const std::string& reason, TimePoint now);

  /// The next frame to send; nullopt when there is none. When the transport cannot take it, give it back before the
  /// next call. Waiting time is taken off remaining_ms; what has expired is not sent (the host's own table timed it
  /// out).
  std::optional<ByteBuffer> next_frame(TimePoint now);
  void give_back(ByteBuffer frame);
  /// True once after the link wants its connection closed (linger 0) and a fresh one opened; then call on_opened().
  bool take_reopen(TimePoint now);
  [[nodiscard]] std::optional<LinkEvent> take_event();

  [[nodiscard]] bool is_ready() const { return state_ == State::ready; }
  /// True after say_goodbye() when nothing is left to send.
  [[nodiscard]] bool is_closed() const { return state_ == State::finished; }
  /// The current session; zero while there is none.
  [[nodiscard]] SessionToken session() const { return token_; }
  /// Until when the broker surely still counts on this peer; turns must not start after it (self-fencing).
  [[nodiscard]] TimePoint lease_until() const { return lease_until_; }
  [[nodiscard]] const LinkCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { closed, greeting, ready, finished };
  /// Envelopes that wait, behind room for the bundle header.
  struct Batch {
    ByteBuffer frame{};
    TimePoint since{};
    std::uint64_t last_id = 0;
    std::size_t envelopes = 0;
  };
  /// What the last next_frame() gave away, so that give_back() can undo it.
  struct Handed {
    enum class What : std::uint8_t { nothing, hello, control, data, goodbye };
    What what = What::nothing;
    TimePoint since{};
    std::uint64_t previous_last_sent = 0;
    std::uint64_t last_id = 0;
    std::size_t envelopes = 0;
    bool has_heartbeat = false;
    bool has_credit = false;
  };

  void encode_hello();
  bool on_control(const wire::EnvelopeView& envelope, SessionToken token, TimePoint now);
  void on_welcome(const wire::EnvelopeView& envelope, TimePoint now);
  void on_heartbeat_ack(std::uint64_t echoed_ns, TimePoint now);
  void on_refused(const wire::EnvelopeView& envelope, TimePoint now);
  void lose(const std::string& reason, TimePoint now);
  void schedule_reopen(TimePoint now);
  [[nodiscard]] Result<> check_room(Bytes envelopes) const;
  [[nodiscard]] std::size_t tail_room(TimePoint now) const;
  void append_run(Bytes run, std::size_t envelopes, std::uint64_t last_id, TimePoint now);
  void drop_session_bound();
  void age(Batch& batch, TimePoint now);
  [[nodiscard]] std::optional<ByteBuffer> next_control_frame(TimePoint now);
  [[nodiscard]] std::optional<ByteBuffer> next_data_frame(TimePoint now);
  [[nodiscard]] ByteBuffer goodbye_frame();

  PeerLinkConfig config_;
  Random& random_;
  Backoff backoff_;
  State state_ = State::closed;
  std::optional<TimePoint> reopen_at_ = TimePoint::min();
  TimePoint greeted_at_;
  std::deque<ByteBuffer> hello_frames_;
  std::optional<std::string> goodbye_;

  SessionToken token_;
  Duration heartbeat_{};
  Duration session_timeout_{};
  TimePoint heard_at_;
  TimePoint ticked_at_;
  TimePoint next_heartbeat_;
  TimePoint lease_until_ = TimePoint::min();
  bool is_heartbeat_due_ = false;
  bool is_credit_due_ = false;
  std::uint64_t consumed_ = 0;
  std::uint64_t reported_ = 0;

  std::deque<Batch> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t waiting_envelopes_ = 0;
  std::uint64_t last_sent_ = 0;
  /// last_sent_ when the last session ended: what these ids meant is over.
  std::uint64_t lost_up_to_ = 0;
  Handed handed_;
  std::deque<LinkEvent> events_;
  LinkCounters counters_;

  // The mirror that HELLO is written from.
  std::map<std::string, wire::TypeRegistration> types_;
  std::map<std::uint64_t, wire::SubscriptionBody> subscriptions_;
  std::unordered_map<std::string, std::uint64_t> activations_;
};

}  // namespace parley::link
