// What request, send and publish have in common: the body (argument, standard input or a file of bodies), its type, and
// the trace flag.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "libmsg/runtime/messenger.hpp"
#include "services/cli/body.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/feed.hpp"
#include "services/cli/options.hpp"
#include "services/cli/trace_context.hpp"

namespace parley::cli {

struct MessageOptions {
  std::optional<std::string> body;
  BodyOptions body_options;
  bool is_traced = false;
  FeedOptions feed;
};

void declare_message_options(Options& options, MessageOptions& message);

/// One message of a verb, ready to go.
struct Outgoing {
  Payload payload;
  CallOptions call;
  /// Set with --trace.
  std::optional<TraceContext> trace;
};

/// Sends one message, prints what came of it, or tells why not.
using SendOne = std::function<Task<Result<>>(Bus&, Outgoing)>;

/// Sends the body, or every line of the file, by `send_one`; prints failures; returns the exit code. `patience` is for
/// one message without --timeout.
int send_messages(const Environment& environment, const MessageOptions& message, std::string purpose,
                  std::chrono::milliseconds patience, const SendOne& send_one);

}  // namespace parley::cli
