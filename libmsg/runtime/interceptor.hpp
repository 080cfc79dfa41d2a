// Sees every message that leaves or reaches this process's agents and clients, before the runtime acts on it.
// Interceptors are chained: each gets what the one before it left, in the order in which they were added.
// Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/runtime/message.hpp"

namespace parley {

/// The message under way; an interceptor may change payload and attributes.
struct Intercepted {
  AgentId sender;      ///< empty for a client
  std::string target;  ///< agent id, `@capability` or topic
  Payload payload;
  Attributes attributes;
};

/// Let it pass (possibly changed), drop it, or refuse it with an error. A dropped or refused request or send fails with
/// `refused` (or the given error) at its caller; a dropped publish succeeds with 0 recipients and is counted.
struct Verdict {
  enum class Action : std::uint8_t { pass, drop, refuse };
  Action action = Action::pass;
  std::optional<Error> error;

  static Verdict pass() { return {}; }
  static Verdict drop() { return {Action::drop, std::nullopt}; }
  static Verdict refuse(Error error) { return {Action::refuse, std::move(error)}; }
};

class Interceptor {
 public:
  Interceptor() = default;
  Interceptor(const Interceptor&) = delete;
  Interceptor& operator=(const Interceptor&) = delete;
  virtual ~Interceptor() = default;
  /// Request or send, before it leaves.
  virtual Verdict on_send(Intercepted& /*message*/) { return Verdict::pass(); }
  /// Publish, before it leaves.
  virtual Verdict on_publish(Intercepted& /*message*/) { return Verdict::pass(); }
  /// A handler's reply before it goes back, and each part of a streamed one. `target` is the one who asked. A dropped
  /// or refused part ends the turn: its caller gets the error, its handler is cancelled.
  virtual Verdict on_response(Intercepted& /*message*/) { return Verdict::pass(); }
};

}  // namespace parley
