#include "services/cli/report_json.hpp"

#include <chrono>
#include <spdlog/fmt/fmt.h>

namespace parley::cli {

using nlohmann::json;

namespace {

json to_json(const wire::TypeVitals& type) {
  return {{"name", type.name},
          {"successes", type.successes},
          {"failures", type.failures},
          {"model_failures", type.model_failures},
          {"consecutive_failures", type.consecutive_failures},
          {"consecutive_model_failures", type.consecutive_model_failures},
          {"inflight", type.inflight},
          {"waiting", type.waiting},
          {"oldest_without_progress_ms", type.oldest_without_progress_ms},
          {"progress_limit_ms", type.progress_limit_ms},
          {"last_activity_ms", type.last_activity_ms},
          {"latency_avg_us", type.latency_avg_us},
          {"latency_p50_us", type.latency_p50_us},
          {"latency_p95_us", type.latency_p95_us},
          {"input_tokens", type.input_tokens},
          {"output_tokens", type.output_tokens},
          {"cost_nano_usd", type.cost_nano_usd},
          {"oldest_waiting_ms", type.oldest_waiting_ms}};
}

}  // namespace

json activation_to_json(const wire::ActivationVitals& activation) {
  return {{"id", activation.id},
          {"successes", activation.successes},
          {"failures", activation.failures},
          {"consecutive_failures", activation.consecutive_failures},
          {"consecutive_model_failures", activation.consecutive_model_failures},
          {"waiting", activation.waiting},
          {"without_progress_ms", activation.without_progress_ms},
          {"last_activity_ms", activation.last_activity_ms},
          {"latency_avg_us", activation.latency_avg_us},
          {"latency_p95_us", activation.latency_p95_us},
          {"model_failures", activation.model_failures},
          {"inflight", activation.inflight},
          {"oldest_waiting_ms", activation.oldest_waiting_ms}};
}

namespace {

json to_json(const wire::WorkerVitals& vitals) {
  json object{{"pid", vitals.pid},
              {"loop_lag_ms", vitals.loop_lag_ms},
              {"rss_bytes", vitals.rss_bytes},
              {"memory_limit_bytes", vitals.memory_limit_bytes},
              {"executing", vitals.executing},
              {"types", json::array()},
              {"activations", json::array()}};
  for (const auto& type : vitals.types) object["types"].push_back(to_json(type));
  for (const auto& activation : vitals.activations) object["activations"].push_back(activation_to_json(activation));
  return object;
}

json to_json(const wire::PsPeer& peer) {
  return {{"name", peer.name},
          {"incarnation", peer.incarnation},
          {"is_worker", peer.is_worker},
          {"is_draining", peer.is_draining},
          {"types", peer.types},
          {"activations", peer.activations},
          {"inflight", peer.inflight},
          {"queued_bytes", peer.queued_bytes},
          {"oldest_queued_ms", peer.oldest_queued_ms},
          {"idle_ms", peer.idle_ms},
          {"uptime_ms", peer.uptime_ms},
          {"health", peer.health},
          {"health_reason", peer.health_reason},
          {"health_cause", peer.health_cause},
          {"should_restart", peer.should_restart},
          {"vitals", peer.has_vitals ? to_json(peer.vitals) : json()}};
}

json to_json(const wire::PsType& type) {
  return {{"name", type.name},
          {"capabilities", type.capabilities},
          {"workers", type.workers},
          {"activations", type.activations},
          {"inflight", type.inflight},
          {"parked", type.parked},
          {"requests", type.requests},
          {"failures", type.failures},
          {"health", type.health},
          {"health_reason", type.health_reason},
          {"mailbox_depth", type.mailbox_depth},
          {"oldest_waiting_ms", type.oldest_waiting_ms},
          {"latency_p50_us", type.latency_p50_us},
          {"latency_p95_us", type.latency_p95_us},
          {"input_tokens", type.input_tokens},
          {"output_tokens", type.output_tokens},
          {"cost_nano_usd", type.cost_nano_usd}};
}

json to_json(const wire::PsQuarantine& row) {
  return {{"key", row.key},
          {"reason", row.reason},
          {"since", format_wall_ms(row.since_ms)},
          {"refused", row.refused},
          {"by", row.by}};
}

json to_json(const wire::PsLoss& loss) {
  return {{"worker", loss.worker}, {"incarnation", loss.incarnation},
          {"pid", loss.pid},       {"at", format_wall_ms(loss.at_ms)},
          {"reason", loss.reason}, {"executing", loss.executing}};
}

}  // namespace

json to_json(const wire::PsReport& report) {
  json object{{"shard_epoch", report.shard_epoch},
              {"uptime_ms", report.uptime_ms},
              {"is_recovering", report.is_recovering},
              {"peers", json::array()},
              {"types", json::array()},
              {"quarantines", json::array()},
              {"losses", json::array()},
              {"numbers", json::object()}};
  for (const auto& peer : report.peers) object["peers"].push_back(to_json(peer));
  for (const auto& type : report.types) object["types"].push_back(to_json(type));
  for (const auto& row : report.quarantines) object["quarantines"].push_back(to_json(row));
  for (const auto& loss : report.losses) object["losses"].push_back(to_json(loss));
  for (const auto& number : report.numbers) object["numbers"][number.name] = number.value;
  return object;
}

json to_json(const wire::TraceHop& hop) {
  return {{"at_us", hop.at_us},
          {"kind", hop.kind},
          {"source", hop.source},
          {"target", hop.target},
          {"payload_type", hop.payload_type},
          {"peer", hop.peer},
          {"message_id", hop.message_id},
          {"delivery_id", hop.delivery_id},
          {"payload_bytes", hop.payload_bytes},
          {"code", hop.code}};
}

json to_json(const wire::DeadLetterRow& row) {
  return {{"id", row.id},
          {"at", format_wall_ms(row.at_ms)},
          {"kind", row.kind},
          {"source", row.source},
          {"target", row.target},
          {"recipient", row.recipient},
          {"payload_type", row.payload_type},
          {"payload_bytes", row.payload_bytes},
          {"code", row.code},
          {"reason", row.reason}};
}

std::string format_wall_ms(std::uint64_t at_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(at_ms)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace parley::cli
