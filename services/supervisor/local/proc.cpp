#include "services/supervisor/local/proc.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace parley::supervisor {
namespace {

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The fields of /proc/PID/stat from number 3 (the state) on; empty when there is no such process.
std::istringstream stat_fields(pid_t pid) {
  const std::string stat = read_text(fmt::format("/proc/{}/stat", pid));
  // The name of the program, in parentheses, may hold anything.
  const auto name_end = stat.rfind(')');
  return std::istringstream(name_end == std::string::npos ? "" : stat.substr(name_end + 1));
}

bool has_entry(std::string_view environment, std::string_view entry) {
  while (!environment.empty()) {
    const auto end = environment.find('\0');
    if (environment.substr(0, end) == entry) return true;
    if (end == std::string_view::npos) return false;
    environment.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  std::istringstream fields = stat_fields(pid);
  std::string state;
  fields >> state;
  if (state.empty() || state == "Z" || state == "X") return std::nullopt;
  constexpr int kStartTimeField = 22;
  std::string skipped;
  for (int field = 4; field < kStartTimeField; ++field) fields >> skipped;
  std::uint64_t start_time = 0;
  return fields >> start_time ? std::optional(start_time) : std::nullopt;
}

ProcessId identify(pid_t pid) { return {pid, start_time_of(pid).value_or(0)}; }

bool is_alive(const ProcessId& process) {
  return process.pid > 1 && process.start_time != 0 && start_time_of(process.pid) == process.start_time;
}

bool is_stopped_by_signal(pid_t pid) {
  std::string state;
  stat_fields(pid) >> state;
  return state == "T";
}

std::vector<ProcessId> find_by_environment(const std::string& entry) {
  std::vector<ProcessId> found;
  std::error_code failure;
  for (const auto& folder : std::filesystem::directory_iterator("/proc", failure)) {
    const std::string name = folder.path().filename();
    pid_t pid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc() || end != name.data() + name.size() || pid == ::getpid()) continue;
    if (::getpgid(pid) != pid || !has_entry(read_text(folder.path() / "environ"), entry)) continue;
    if (const ProcessId process = identify(pid); process.start_time != 0) found.push_back(process);
  }
  return found;
}

}  // namespace parley::supervisor
