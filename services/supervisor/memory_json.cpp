#include "services/supervisor/memory_json.hpp"

#include <nlohmann/json.hpp>

namespace parley::supervisor {
namespace {

using nlohmann::json;

std::int64_t ms_of(Duration age) { return std::chrono::duration_cast<std::chrono::milliseconds>(age).count(); }
Duration age_of(const json& ms) { return std::chrono::milliseconds(ms.get<std::int64_t>()); }

}  // namespace

json to_json(const PolicyMemory& memory) {
  json crashes = json::array();
  for (const CrashRecord& record : memory.crashes) {
    json ages = json::array();
    for (const Duration age : record.ages) ages.push_back(ms_of(age));
    crashes.push_back({{"process", record.process},
                       {"ages_ms", std::move(ages)},
                       {"backoff", record.backoff},
                       {"is_restarted_once", record.is_restarted_once}});
  }
  json suspicions = json::array();
  for (const Suspicion& each : memory.suspicions) {
    suspicions.push_back({{"agent", each.agent}, {"age_ms", ms_of(each.age)}, {"crashes", each.crashes}});
  }
  return {{"crashes", std::move(crashes)}, {"suspicions", std::move(suspicions)}};
}

PolicyMemory memory_from_json(const json& value) {
  PolicyMemory memory;
  for (const json& entry : value.at("crashes")) {
    CrashRecord& record = memory.crashes.emplace_back();
    record.process = entry.at("process");
    for (const json& age : entry.at("ages_ms")) record.ages.push_back(age_of(age));
    record.backoff = entry.at("backoff");
    record.is_restarted_once = entry.at("is_restarted_once");
  }
  for (const json& entry : value.at("suspicions")) {
    memory.suspicions.push_back({entry.at("agent"), age_of(entry.at("age_ms")), entry.at("crashes")});
  }
  return memory;
}

}  // namespace parley::supervisor
