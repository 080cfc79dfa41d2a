// The msgpack bodies of control envelopes, and the only decoder for msgpack that came from outside. Fields have
// defaults and unknown ones are ignored, so peers of different ages understand each other.
// PROTOCOL.md §Control bodies lists every field. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <msgpack.hpp>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/fields.hpp"
#include "libmsg/wire/limits.hpp"
#include "libmsg/wire/ps_report.hpp"

namespace parley::wire {

/// One agent type that a peer hosts. `index` is the peer's own number for it and comes back in the recipient field.
struct TypeRegistration {
  std::string name;
  std::uint16_t index = 0;
  std::vector<std::string> capabilities;
  /// Relative share of new activations, 1 to 1000.
  std::uint32_t capacity = 1;
  PARLEY_FIELDS(name, index, capabilities, capacity)
  friend bool operator==(const TypeRegistration&, const TypeRegistration&) = default;
};

/// (exact topic type or prefix) → agent type. `id` is chosen by the peer and unique in its session.
struct SubscriptionBody {
  std::uint64_t id = 0;
  std::string topic;
  bool is_prefix = false;
  std::string agent_type;
  PARLEY_FIELDS(id, topic, is_prefix, agent_type)
  friend bool operator==(const SubscriptionBody&, const SubscriptionBody&) = default;
};

struct LiveActivation {
  std::string id;  ///< `type/key`
  std::uint64_t epoch = 0;
  PARLEY_FIELDS(id, epoch)
  friend bool operator==(const LiveActivation&, const LiveActivation&) = default;
};

/// HELLO: who the peer is and what it brings. A long list of activations is split over several HELLO envelopes with
/// the same incarnation; `is_last` is false on all but the last, and WELCOME answers the last.
struct Hello {
  std::uint16_t version_min = 1;
  std::uint16_t version_max = 1;
  std::string name;               ///< for people: host, process, purpose
  std::uint64_t incarnation = 0;  ///< random per process start; a new HELLO with it replaces the old session
  bool is_worker = false;
  std::uint64_t credit_bytes = 0;  ///< data bytes the broker may have outstanding towards this peer
  std::vector<TypeRegistration> types{};
  std::vector<SubscriptionBody> subscriptions{};
  std::vector<LiveActivation> activations{};
  bool is_last = true;
  PARLEY_FIELDS(version_min, version_max, name, incarnation, is_worker, credit_bytes, types, subscriptions, activations,
                is_last)
};

/// WELCOME: the session and the rules that hold in it.
struct Welcome {
  std::uint16_t version = 1;
  std::uint64_t token = 0;
  std::uint64_t shard_epoch = 0;
  std::uint32_t heartbeat_ms = 1000;
  /// Silence after which the broker ends the session.
  std::uint32_t session_timeout_ms = 3000;
  std::uint64_t max_payload_bytes = kMaxPayloadBytes;
  /// Requests and unaccepted one-way messages that the peer may have under way; one more is answered `overloaded`.
  std::uint32_t max_inflight = 65536;
  std::uint32_t max_deadline_ms = 3'600'000;
  PARLEY_FIELDS(version, token, shard_epoch, heartbeat_ms, session_timeout_ms, max_payload_bytes, max_inflight,
                max_deadline_ms)
};

/// GOODBYE and RESET: why, for the log.
struct Reason {
  std::string reason;
  PARLEY_FIELDS(reason)
};

/// UNREGISTER_TYPE.
struct TypeName {
  std::string name;
  PARLEY_FIELDS(name)
};

/// UNSUBSCRIBE.
struct SubscriptionId {
  std::uint64_t id = 0;
  PARLEY_FIELDS(id)
};

/// QUERY: reads the broker's state. `what`: `ps`, `trace`, `dead_letters`, `dead_letter`, `where`, and `activation`,
/// for which the broker asks the agent's worker. The answer is a REPLY whose payload is the matching …Report below.
struct Query {
  std::string what;
  std::string key;            ///< trace id, dead letter id or agent id
  std::uint32_t limit = 100;  ///< at most this many rows, capped at 1000
  std::uint64_t after = 0;    ///< rows with a greater id only (paging)
  PARLEY_FIELDS(what, key, limit, after)
};

/// One step of a traced message as the broker saw it.
struct TraceHop {
  std::uint64_t at_us = 0;  ///< wall clock, µs since 1970
  std::string kind;
  std::string source;
  std::string target;
  std::string payload_type;
  std::string peer;  ///< name of the session it came from or went to
  std::uint64_t message_id = 0;
  std::uint64_t delivery_id = 0;
  std::uint64_t payload_bytes = 0;
  std::string code;  ///< name of the error, or empty
  PARLEY_FIELDS(at_us, kind, source, target, payload_type, peer, message_id, delivery_id, payload_bytes, code)
};

struct TraceReport {
  std::string trace_id;
  std::vector<TraceHop> hops;
  PARLEY_FIELDS(trace_id, hops)
};

struct DeadLetterRow {
  std::uint64_t id = 0;
  std::uint64_t at_ms = 0;  ///< wall clock, ms since 1970
  std::string kind;
  std::string source;
  std::string target;
  std::string recipient;  ///< agent id for an event's recipient, else empty
  std::string payload_type;
  std::uint64_t payload_bytes = 0;
  std::string code;
  std::string reason;
  PARLEY_FIELDS(id, at_ms, kind, source, target, recipient, payload_type, payload_bytes, code, reason)
};

struct DeadLetterReport {
  std::uint64_t total = 0;    ///< counted since the broker started
  std::uint64_t evicted = 0;  ///< of those, pushed out by newer ones
  std::vector<DeadLetterRow> rows;
  std::vector<char> envelope;  ///< only for `dead_letter`: the whole envelope of the one row
  PARLEY_FIELDS(total, evicted, rows, envelope)
};

/// Where an agent id lives. Empty `worker`: nowhere now.
struct WhereReport {
  std::string id;
  std::string worker;
  std::uint64_t epoch = 0;
  PARLEY_FIELDS(id, worker, epoch)
};

/// How one activation is, as its worker tells it now.
struct ActivationReport {
  std::string worker;
  ActivationVitals vitals;
  PARLEY_FIELDS(worker, vitals)
};

/// OPERATE: changes what the broker does with agents and workers. `what`: `quarantine`, `release` (key: agent id or
/// agent type), `evict` (key: agent id), `drain` (key: name of a worker). The answer is a REPLY with an OperateReport.
struct Operate {
  std::string what;
  std::string key;
  std::string reason;  ///< for people: shown by `ps` and in the errors of those who meet a quarantine
  PARLEY_FIELDS(what, key, reason)
};

/// What an OPERATE did. It is answered when the broker has done its part; a drained worker takes its time.
struct OperateReport {
  std::string key;
  std::string worker;          ///< the worker that had the evicted agent, or that drains; else empty
  std::uint64_t affected = 0;  ///< activations evicted or left to drain; messages refused while quarantined
  PARLEY_FIELDS(key, worker, affected)
};

/// Bounds for msgpack from outside: msgpack-c's own defaults are unbounded (5 bytes can reserve gigabytes).
inline msgpack::unpack_limit body_unpack_limit() { return {65536, 4096, 16U << 20U, 16U << 20U, 4096, 32}; }

/// Appends `body` as msgpack.
template <class T>
void append_body(ByteBuffer& out, const T& body) {
  msgpack::pack(out, body);
}

template <class T>
[[nodiscard]] ByteBuffer encode_body(const T& body) {
  ByteBuffer out;
  append_body(out, body);
  return out;
}

namespace detail {

/// The memory in which bodies are read, kept from one to the next. A reader takes it out meanwhile, since what it reads
/// may hold a body that is read within.
inline std::unique_ptr<msgpack::zone>& spare_zone() {
  thread_local std::unique_ptr<msgpack::zone> spare;
  return spare;
}

inline std::unique_ptr<msgpack::zone> take_zone() {
  constexpr std::size_t kFirstChunkBytes = 1024;  // enough for most messages; more is added as it is needed
  std::unique_ptr<msgpack::zone> zone = std::move(spare_zone());
  return zone ? std::move(zone) : std::make_unique<msgpack::zone>(kFirstChunkBytes);
}

}  // namespace detail

/// Reads one msgpack value of type T that fills `encoded`. Fails with `invalid`; never throws; memory is bounded by the
/// size of the input and body_unpack_limit().
template <class T>
Result<T> decode_body(Bytes encoded) {
  try {
    std::unique_ptr<msgpack::zone> objects = detail::take_zone();
    std::size_t offset = 0;
    bool is_referenced = false;
    const auto* text = reinterpret_cast<const char*>(encoded.data());
    // Texts stay where they are until as() copies them: `encoded` outlives the objects.
    constexpr auto kStayInPlace = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    const msgpack::object body = msgpack::unpack(*objects, text, encoded.size(), offset, is_referenced, kStayInPlace,
                                                 nullptr, body_unpack_limit());
    if (offset != encoded.size()) return fail(ErrorCode::invalid, "bytes behind the end of a msgpack body");
    T value = body.as<T>();
    objects->clear();
    detail::spare_zone() = std::move(objects);
    return value;
  } catch (const std::exception& failure) {
    return fail(ErrorCode::invalid, std::string("malformed msgpack body: ") + failure.what());
  }
}

}  // namespace parley::wire
