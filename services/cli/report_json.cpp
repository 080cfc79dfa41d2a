#include "services/cli/report_json.hpp"

#include <chrono>
#include <spdlog/fmt/fmt.h>

namespace parley::cli {

using nlohmann::json;

namespace {

json to_json(const wire::PsPeer& peer) {
  return {{"name", peer.name},           {"incarnation", peer.incarnation},
          {"is_worker", peer.is_worker}, {"is_draining", peer.is_draining},
          {"types", peer.types},         {"activations", peer.activations},
          {"inflight", peer.inflight},   {"queued_bytes", peer.queued_bytes},
          {"idle_ms", peer.idle_ms},     {"uptime_ms", peer.uptime_ms}};
}

json to_json(const wire::PsType& type) {
  return {{"name", type.name},         {"capabilities", type.capabilities},
          {"workers", type.workers},   {"activations", type.activations},
          {"inflight", type.inflight}, {"parked", type.parked},
          {"requests", type.requests}, {"failures", type.failures}};
}

}  // namespace

json to_json(const wire::PsReport& report) {
  json object{{"shard_epoch", report.shard_epoch},
              {"uptime_ms", report.uptime_ms},
              {"is_recovering", report.is_recovering},
              {"peers", json::array()},
              {"types", json::array()},
              {"numbers", json::object()}};
  for (const auto& peer : report.peers) object["peers"].push_back(to_json(peer));
  for (const auto& type : report.types) object["types"].push_back(to_json(type));
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
