#include "services/supervisor/local/suite_files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "services/supervisor/memory_json.hpp"

namespace parley::supervisor {
namespace {

using nlohmann::json;

json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return json::parse(text, nullptr, false);
}

/// The millisecond settings of a policy, by their key.
struct DurationKey {
  const char* key;
  Duration PolicyConfig::* field;
};
constexpr std::array kDurations{
    DurationKey{"healthy_reset_ms", &PolicyConfig::healthy_reset},
    DurationKey{"crash_window_ms", &PolicyConfig::crash_window},
    DurationKey{"probe_after_ms", &PolicyConfig::probe_after},
    DurationKey{"start_timeout_ms", &PolicyConfig::start_timeout},
    DurationKey{"drain_grace_ms", &PolicyConfig::drain_grace},
    DurationKey{"shutdown_grace_ms", &PolicyConfig::shutdown_grace},
    DurationKey{"sick_grace_ms", &PolicyConfig::sick_grace},
};

json to_json(const PolicyConfig& config) {
  json value{{"strategy", config.strategy == Strategy::rest_for_one ? "rest_for_one" : "one_for_one"},
             {"backoff_first_ms", config.backoff.first.count()},
             {"backoff_max_ms", config.backoff.max.count()},
             {"max_crashes", config.max_crashes},
             {"max_simultaneous", config.max_simultaneous},
             {"max_suspicions", config.max_suspicions}};
  for (const auto& [key, field] : kDurations) {
    value[key] = std::chrono::duration_cast<std::chrono::milliseconds>(config.*field).count();
  }
  return value;
}

PolicyConfig policy_from(const json& value) {
  using std::chrono::milliseconds;
  PolicyConfig config;
  if (value.at("strategy") == "rest_for_one") config.strategy = Strategy::rest_for_one;
  config.backoff = {milliseconds(value.at("backoff_first_ms").get<std::int64_t>()),
                    milliseconds(value.at("backoff_max_ms").get<std::int64_t>())};
  config.max_crashes = value.at("max_crashes");
  config.max_simultaneous = value.at("max_simultaneous");
  config.max_suspicions = value.at("max_suspicions");
  for (const auto& [key, field] : kDurations) config.*field = milliseconds(value.at(key).get<std::int64_t>());
  return config;
}

std::string_view role_name(Role role) { return role == Role::broker ? "broker" : "worker"; }
Role role_from(const json& value) { return value == "broker" ? Role::broker : Role::worker; }

json to_json(const ProcessId& process) { return {{"pid", process.pid}, {"start_time", process.start_time}}; }
ProcessId process_from(const json& value) { return {value.at("pid"), value.at("start_time")}; }

json to_json(const ProcessRecord& record) {
  json value = to_json(record.id);
  value.update({{"name", record.view.name},
                {"role", role_name(record.view.role)},
                {"state", name_of(record.view.state)},
                {"restarts", record.view.restarts},
                {"reason", record.view.reason},
                {"has_trial", record.view.next_start.has_value()},
                {"has_failed", record.view.has_failed},
                {"has_been_ready", record.view.has_been_ready},
                {"log_offset", record.log_offset},
                {"metrics_port", record.metrics_port},
                {"problem", record.problem},
                {"is_hopeless", record.is_hopeless}});
  return value;
}

ProcessRecord record_from(const json& value) {
  ProcessRecord record;
  record.id = process_from(value);
  record.view.name = value.at("name");
  record.view.role = role_from(value.at("role"));
  for (const auto state : {ProcessState::waiting, ProcessState::starting, ProcessState::running, ProcessState::stopping,
                           ProcessState::stopped, ProcessState::quarantined}) {
    if (value.at("state") == name_of(state)) record.view.state = state;
  }
  record.view.restarts = value.at("restarts");
  record.view.reason = value.at("reason");
  // Only that there was one is remembered: times do not outlive a process.
  if (value.at("has_trial").get<bool>()) record.view.next_start = TimePoint();
  record.view.has_failed = value.at("has_failed");
  record.view.has_been_ready = value.at("has_been_ready");
  record.log_offset = value.at("log_offset");
  // Earlier versions did not write it.
  record.metrics_port = value.value("metrics_port", std::uint16_t{0});
  record.problem = value.at("problem");
  record.is_hopeless = value.at("is_hopeless");
  return record;
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n'; }

std::unexpected<Error> cannot_write(const std::filesystem::path& file, int reason) {
  return fail(ErrorCode::bad_configuration, fmt::format("cannot write {}: {}", file.string(), std::strerror(reason)));
}

}  // namespace

Result<> write_atomically(const std::filesystem::path& file, const std::string& text) {
  const std::string temporary = file.string() + ".new";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return cannot_write(file, errno);
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const int reason = errno;
  ::close(descriptor);
  if (written != static_cast<ssize_t>(text.size())) return cannot_write(file, reason);
  if (::rename(temporary.c_str(), file.c_str()) != 0) return cannot_write(file, errno);
  return {};
}

Result<> write_plan(const std::filesystem::path& folder, const SuitePlan& plan) {
  json processes = json::array();
  for (const PlannedProcess& process : plan.processes) {
    processes.push_back({{"name", process.name}, {"role", role_name(process.role)}, {"command", process.command}});
  }
  const json value{{"node", plan.node},
                   {"broker", plan.broker},
                   {"insecure", plan.is_insecure_allowed},
                   {"policy", to_json(plan.policy)},
                   {"processes", processes},
                   {"watcher", plan.watcher}};
  return write_atomically(folder / kPlanFile, dump(value));
}

Result<SuitePlan> read_plan(const std::filesystem::path& folder) {
  const auto file = folder / kPlanFile;
  try {
    const json value = read_json(file);
    SuitePlan plan;
    plan.node = value.at("node");
    plan.broker = value.at("broker");
    plan.is_insecure_allowed = value.at("insecure");
    plan.policy = policy_from(value.at("policy"));
    plan.watcher = value.at("watcher").get<std::vector<std::string>>();
    for (const json& process : value.at("processes")) {
      plan.processes.push_back(
          {process.at("name"), role_from(process.at("role")), process.at("command").get<std::vector<std::string>>()});
      if (plan.processes.back().command.empty()) {
        return fail(ErrorCode::bad_configuration, fmt::format("{}: a process without a command", file.string()));
      }
    }
    return plan;
  } catch (const json::exception& failure) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("{} is missing or not what 'parley up' writes: {}", file.string(), failure.what()));
  }
}

Result<> write_state(const std::filesystem::path& folder, const SuiteState& state) {
  json processes = json::array();
  for (const ProcessRecord& record : state.processes) processes.push_back(to_json(record));
  json value{{"supervisor", to_json(state.supervisor)}, {"is_stopping", state.is_stopping}, {"processes", processes}};
  value["memory"] = to_json(state.memory);
  value["written_ms"] = state.written_ms;
  return write_atomically(folder / kStateFile, dump(value));
}

std::optional<SuiteState> read_state(const std::filesystem::path& folder) {
  try {
    const json value = read_json(folder / kStateFile);
    SuiteState state;
    state.supervisor = process_from(value.at("supervisor"));
    state.is_stopping = value.at("is_stopping");
    for (const json& record : value.at("processes")) state.processes.push_back(record_from(record));
    // An earlier version wrote none, and its processes are to be adopted all the same.
    if (value.contains("memory")) {
      state.memory = memory_from_json(value["memory"]);
      state.written_ms = value.at("written_ms");
    }
    return state;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string targets_text(const std::string& node, const MetricsPages& pages) {
  json groups = json::array();
  for (const auto& [name, port] : pages) {
    groups.push_back(
        {{"targets", {fmt::format("127.0.0.1:{}", port)}}, {"labels", {{"instance", name}, {"node", node}}}});
  }
  return dump(groups);
}

Result<> write_watcher(const std::filesystem::path& folder, const ProcessId& watcher, const std::string& broker) {
  json value = to_json(watcher);
  value["broker"] = broker;
  return write_atomically(folder / kWatcherFile, dump(value));
}

std::optional<ProcessId> read_watcher(const std::filesystem::path& folder) {
  try {
    return process_from(read_json(folder / kWatcherFile));
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string process_mark(const std::filesystem::path& folder, const std::string& name) {
  return "PARLEY_PROCESS=" + folder.string() + ":" + name;
}

}  // namespace parley::supervisor
