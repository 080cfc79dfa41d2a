#include "agents/sandbox/process_usage.hpp"

#include <array>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/sandbox/descriptor.hpp"

namespace parley::sandbox {
namespace {

/// A file of /proc; empty when the process has ended.
std::string read_text(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t count = file.is_open() ? ::read(file.get(), piece.data(), piece.size()) : 0;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// The number behind `name`, as in `RssAnon:     1234 kB`.
std::uint64_t field(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + name.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void add_numbers(std::string_view text, std::vector<pid_t>& numbers) {
  while (!text.empty()) {
    pid_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc()) numbers.push_back(number);
    text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
  }
}

/// Each thread has the children that it started.
void add_children(pid_t process, std::size_t max_threads, std::vector<pid_t>& children) {
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  const FolderStream folder(::opendir(tasks.c_str()));
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    const std::string_view name(&entry->d_name[0]);
    if (name.starts_with('.')) continue;
    if (max_threads-- == 0) return;
    add_numbers(read_text(tasks + "/" + std::string(name) + "/children"), children);
  }
}

constexpr std::uint64_t kKibi = 1024;

std::uint64_t rough_memory(const std::string& status) {
  return (field(status, "RssAnon:") + field(status, "RssShmem:")) * kKibi;
}

/// Shared pages in parts; nullopt where the kernel does not tell.
std::optional<std::uint64_t> exact_memory(pid_t process) {
  const std::string rollup = read_text("/proc/" + std::to_string(process) + "/smaps_rollup");
  if (rollup.empty()) return std::nullopt;
  return (field(rollup, "Pss_Anon:") + field(rollup, "Pss_Shmem:")) * kKibi;
}

std::string status_of(pid_t process) { return read_text("/proc/" + std::to_string(process) + "/status"); }

}  // namespace

ProcessUsage measure_processes(pid_t first, std::size_t max_processes, std::uint64_t memory_limit) {
  ProcessUsage usage;
  std::vector<pid_t> processes{first};
  for (std::size_t at = 0; at < processes.size() && at < max_processes; ++at) {
    const std::string status = status_of(processes[at]);
    usage.memory_bytes += rough_memory(status);
    usage.threads += field(status, "Threads:");
    add_children(processes[at], max_processes, processes);
  }
  if (usage.memory_bytes <= memory_limit) return usage;
  usage.memory_bytes = 0;
  for (std::size_t at = 0; at < processes.size() && at < max_processes; ++at) {
    const std::optional<std::uint64_t> exact = exact_memory(processes[at]);
    // Not what it had a moment ago: one that has ended meanwhile tells nothing and has nothing.
    usage.memory_bytes += exact ? *exact : rough_memory(status_of(processes[at]));
  }
  return usage;
}

}  // namespace parley::sandbox
