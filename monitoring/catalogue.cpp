#include "monitoring/catalogue.hpp"

#include <algorithm>
#include <array>

namespace parley::monitoring {
namespace {

constexpr auto kCatalogue = std::to_array<MetricInfo>({
    {"parley_broker_requests_total", "counter", "", "Requests taken from peers."},
    {"parley_broker_sends_total", "counter", "", "One-way direct messages taken from peers."},
    {"parley_broker_events_total", "counter", "", "Events published by peers."},
    {"parley_broker_deliveries_total", "counter", "",
     "Messages handed to workers; an event counts once for each recipient."},
    {"parley_broker_replies_total", "counter", "", "Final replies passed on to callers."},
    {"parley_broker_parts_total", "counter", "", "Pieces of streamed replies passed on."},
    {"parley_broker_errors_total", "counter", "", "Typed errors answered to callers, whatever their code."},
    {"parley_broker_cancels_total", "counter", "", "Requests that their callers cancelled."},
    {"parley_broker_done_total", "counter", "", "One-way messages that workers reported as handled."},
    {"parley_broker_timeouts_total", "counter", "", "Messages whose deadline passed before they were handled."},
    {"parley_broker_overloaded_total", "counter", "", "Messages refused because a queue was full."},
    {"parley_broker_worker_lost_total", "counter", "",
     "Requests and one-way messages under way on a worker when it went."},
    {"parley_broker_dead_letters_total", "counter", "", "Messages that could not be delivered or handled."},
    {"parley_broker_dead_letters", "gauge", "", "Dead letters kept now (the oldest give way)."},
    {"parley_broker_stale_replies_total", "counter", "",
     "Replies for deliveries that had ended already (timeout, cancel, lost session); dropped."},
    {"parley_broker_invalid_frames_total", "counter", "", "Frames or envelopes that were malformed."},
    {"parley_broker_unknown_kinds_total", "counter", "",
     "Envelopes of a kind that this version does not know; skipped."},
    {"parley_broker_resets_total", "counter", "", "Frames with an unknown session, answered with RESET."},
    {"parley_broker_discarded_frames_total", "counter", "", "Frames that were dropped because their session was over."},
    {"parley_broker_frames_in_total", "counter", "", "Frames (bundles) received."},
    {"parley_broker_frames_out_total", "counter", "", "Frames (bundles) sent."},
    {"parley_broker_in_bytes_total", "counter", "", "Bytes received."},
    {"parley_broker_out_bytes_total", "counter", "", "Bytes sent."},
    {"parley_broker_sessions_opened_total", "counter", "", "Sessions begun by HELLO."},
    {"parley_broker_sessions_lost_total", "counter", "", "Sessions that ended without GOODBYE."},
    {"parley_broker_activations_started_total", "counter", "", "Activations placed on workers."},
    {"parley_broker_evictions_total", "counter", "",
     "Activations taken from a worker because another has a higher epoch."},
    {"parley_broker_parkings_total", "counter", "", "Messages that had to wait for a worker of their type."},
    {"parley_broker_pauses_total", "counter", "", "Times the broker itself stood still longer than a heartbeat."},
    {"parley_broker_trace_hops_total", "counter", "", "Hops recorded for traced messages."},
    {"parley_broker_sessions", "gauge", "", "Peers with a session."},
    {"parley_broker_agent_types", "gauge", "", "Agent types that are known, with or without a worker."},
    {"parley_broker_subscriptions", "gauge", "", "Subscriptions of all sessions."},
    {"parley_broker_activations", "gauge", "", "Agent ids with a live activation."},
    {"parley_broker_inflight", "gauge", "", "Deliveries that workers have not finished."},
    {"parley_broker_parked", "gauge", "", "Messages waiting for a worker of their type or for the end of recovery."},
    {"parley_broker_queued_bytes", "gauge", "", "Bytes waiting in the broker for the peers' credit."},
    {"parley_broker_transport_frames_total", "counter", "direction", "ZeroMQ frames through the broker's socket."},
    {"parley_broker_transport_bytes_total", "counter", "direction", "Bytes through the broker's socket."},
    {"parley_broker_transport_dropped_total", "counter", "reason",
     "Messages that no peer of ours sends, dropped before they were read."},
    {"parley_broker_transport_full_total", "counter", "", "Frames that had to wait because a connection was full."},
    {"parley_broker_transport_dead_connections_total", "counter", "", "Frames for connections that ended meanwhile."},
    {"parley_worker_connected", "gauge", "", "1 while the worker has a session with the broker."},
    {"parley_loop_lag_seconds", "histogram", "",
     "How late the loop's timer ran: the time that handlers kept the loop busy."},
    {"parley_agent_turns_total", "counter", "agent_type, outcome",
     "Messages that an agent type has handled; the outcome is `ok` or the name of an error code."},
    {"parley_agent_turn_seconds", "histogram", "agent_type",
     "Time from a message's arrival at the worker to the end of its turn, waiting included."},
    {"parley_agent_activations", "gauge", "agent_type", "Live activations of an agent type on this worker."},
    {"parley_agent_inflight_messages", "gauge", "agent_type", "Messages that are being handled."},
    {"parley_agent_waiting_messages", "gauge", "agent_type",
     "Messages waiting in mailboxes for an earlier turn to end."},
    {"parley_model_requests_total", "counter", "agent_type, model, outcome",
     "Requests to a model's provider, repeated ones included; the outcome is `ok` or the name of an error code."},
    {"parley_model_tokens_total", "counter", "agent_type, model, token_type",
     "Tokens that a model was given and gave: `input` (not cached), `cached_input` and `output` add up."},
    {"parley_model_cost_usd_total", "counter", "agent_type, model", "What the tokens cost by the configured prices."},
    {"parley_model_unpriced_tokens_total", "counter", "agent_type, model",
     "Tokens of models that have no price in the configuration, so that their cost is not known."},
    {"gen_ai_client_operation_duration_seconds", "histogram",
     "error_type, gen_ai_agent_name, gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model",
     "Time of one call of a chat model, retries included; error_type is empty for a success."},
    {"gen_ai_client_token_usage", "histogram",
     "gen_ai_agent_name, gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model, gen_ai_token_type",
     "Tokens of one call, by `input` (cached ones included) and `output`."},
    {"parley_build_info", "gauge", "program, version", "Always 1; the labels say which program runs in which version."},
    {"process_cpu_seconds_total", "counter", "", "Processor time, user and system."},
    {"process_resident_memory_bytes", "gauge", "", "Memory in use."},
    {"process_virtual_memory_bytes", "gauge", "", "Address space in use."},
    {"process_open_fds", "gauge", "", "Open file descriptors."},
    {"process_max_fds", "gauge", "", "Most file descriptors that the process may open."},
    {"process_start_time_seconds", "gauge", "", "Unix time at which the process began."},
});

}  // namespace

std::span<const MetricInfo> metric_catalogue() { return kCatalogue; }

std::string_view metric_help(std::string_view name) {
  const auto found = std::ranges::find(kCatalogue, name, &MetricInfo::name);
  return found == kCatalogue.end() ? std::string_view() : found->help;
}

}  // namespace parley::monitoring
