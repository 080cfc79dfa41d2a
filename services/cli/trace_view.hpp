// The hops that the broker recorded, as what happened between agents: each message once, with the time it took through
// the broker. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libmsg/wire/control.hpp"

namespace parley::cli {

/// One message on its way from one participant to another.
struct Leg {
  std::uint64_t at_us = 0;  ///< when the broker got it, after the first hop of the trace
  /// From the broker's receiving to its sending; 0 when it has not gone out.
  std::uint64_t broker_us = 0;
  /// Of a reply or an error: how long the worker had the message that it answers. 0 when that is not known.
  std::uint64_t handled_us = 0;
  std::string kind;
  std::string from;   ///< agent id, or the name of a client's session
  std::string to;     ///< agent id, `@capability`, or for an event the session that got it
  std::string topic;  ///< of an event
  std::string payload_type;
  std::uint64_t payload_bytes = 0;
  std::string code;         ///< of an error
  std::uint64_t count = 1;  ///< messages that this stands for; above 1 in a summary only
  bool is_delivered = false;
};

[[nodiscard]] std::vector<Leg> legs_of(const wire::TraceReport& report);

/// The parts of a stream, and events of one sender, topic and payload type to one recipient, as one leg each.
[[nodiscard]] std::vector<Leg> summarised(const std::vector<Leg>& legs);

/// As a table for a console of `width` characters, each leg with its time since the first and since the one before it;
/// below it the sum, and what failed.
[[nodiscard]] std::vector<std::string> render_legs(const std::vector<Leg>& legs, std::size_t width);

/// As a Mermaid sequence diagram.
[[nodiscard]] std::vector<std::string> sequence_diagram(const std::vector<Leg>& legs);

/// The hops as the broker recorded them, one object each, with `since_start_us`, `delta_us` (since the hop before) and,
/// on the final answer of a worker, `handled_us`.
[[nodiscard]] std::vector<nlohmann::json> hops_json(const wire::TraceReport& report);

/// `340 µs`, `12.5 ms`, `3.2 s`.
[[nodiscard]] std::string format_micros(std::uint64_t micros);

}  // namespace parley::cli
