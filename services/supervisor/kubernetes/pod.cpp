#include "services/supervisor/kubernetes/pod.hpp"

#include <nlohmann/json.hpp>

namespace parley::supervisor {
namespace {

using nlohmann::json;

/// The member of an object; null where there is none, or no object.
const json& member(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

int number(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_number_integer() ? value.get<int>() : 0;
}

/// The owner that people know: for a ReplicaSet, which a Deployment names `<deployment>-<hash>`, the Deployment.
void read_owner(const json& metadata, Pod& pod) {
  pod.workload = pod.name;
  for (const json& owner : member(metadata, "ownerReferences")) {
    if (!member(owner, "controller").is_boolean() || !member(owner, "controller").get<bool>()) continue;
    const std::string kind = text(owner, "kind");
    pod.workload = text(owner, "name");
    pod.has_stable_name = kind == "StatefulSet";
    const std::string hash = text(member(metadata, "labels"), "pod-template-hash");
    if (kind == "ReplicaSet" && !hash.empty() && pod.workload.ends_with("-" + hash)) {
      pod.workload.resize(pod.workload.size() - hash.size() - 1);
    }
  }
}

void read_container(const json& object, Pod& pod) {
  const json& containers = member(member(object, "spec"), "containers");
  const std::string first = containers.is_array() && !containers.empty() ? text(containers.front(), "name") : "";
  for (const json& status : member(member(object, "status"), "containerStatuses")) {
    if (text(status, "name") != first) continue;
    pod.restarts = static_cast<std::uint32_t>(std::max(0, number(status, "restartCount")));
    const json& state = member(status, "state");
    pod.is_running = member(state, "running").is_object();
    // A container that waits for the kubelet's backoff shows its end in one of the two.
    for (const json* const end : {&member(state, "terminated"), &member(member(status, "lastState"), "terminated")}) {
      if (!end->is_object()) continue;
      pod.last_end = container_end(number(*end, "exitCode"), text(*end, "reason"));
      break;
    }
  }
}

}  // namespace

ProcessEnd container_end(int exit_code, std::string reason) {
  constexpr int kSignals = 128;
  constexpr int kLastSignal = 64;
  if (exit_code > kSignals && exit_code <= kSignals + kLastSignal) {
    return {ProcessEnd::Kind::killed, exit_code - kSignals, std::move(reason)};
  }
  return {ProcessEnd::Kind::exited, exit_code, std::move(reason)};
}

Result<Pod> read_pod(const json& object) {
  const json& metadata = member(object, "metadata");
  Pod pod;
  pod.name = text(metadata, "name");
  pod.uid = text(metadata, "uid");
  if (pod.name.empty() || pod.uid.empty())
    return fail(ErrorCode::invalid, "the API told of a pod without a name or uid");
  pod.is_deleting = !text(metadata, "deletionTimestamp").empty();
  read_owner(metadata, pod);
  const std::string phase = text(member(object, "status"), "phase");
  pod.is_over = phase == "Succeeded" || phase == "Failed";
  read_container(object, pod);
  for (const json& condition : member(member(object, "status"), "conditions")) {
    if (text(condition, "type") == "Ready") pod.is_ready = text(condition, "status") == "True";
  }
  return pod;
}

}  // namespace parley::supervisor
