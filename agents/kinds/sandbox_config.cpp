#include "agents/kinds/sandbox_config.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace parley::kinds {
namespace {

using config::ConfigReader;
using sandbox::Language;
using sandbox::SandboxLimits;
using sandbox::SandboxOptions;

std::vector<Language> read_languages(ConfigReader& reader) {
  std::vector<Language> languages;
  for (const std::string& name : reader.texts("languages")) {
    if (name == to_string(Language::python)) {
      languages.push_back(Language::python);
    } else if (name == to_string(Language::shell)) {
      languages.push_back(Language::shell);
    } else {
      reader.reject("languages", "'" + name + "': expected python or shell");
    }
  }
  if (languages.empty()) return {Language::python, Language::shell};
  return languages;
}

std::filesystem::path read_path(ConfigReader& reader, std::string_view key, const std::filesystem::path& fallback) {
  std::filesystem::path path = reader.text(key, fallback.string());
  if (!path.empty() && !path.is_absolute()) reader.reject(key, "expected an absolute path");
  return path;
}

SandboxLimits read_limits(ConfigReader& reader) {
  using std::chrono::milliseconds;
  constexpr config::Range<milliseconds> kTimes{milliseconds(100), milliseconds(3'600'000)};
  constexpr std::uint64_t kKibi = 1024;
  constexpr std::uint64_t kMebi = kKibi * 1024;
  SandboxLimits limits;
  limits.wall_time = reader.duration("wall_time", limits.wall_time, kTimes);
  limits.cpu_time = reader.duration("cpu_time", limits.cpu_time, kTimes);
  limits.memory_bytes = reader.size("memory", limits.memory_bytes, {32 * kMebi, 64 * kKibi * kMebi});
  limits.max_processes = static_cast<std::uint32_t>(reader.integer("max_processes", limits.max_processes, {8, 4096}));
  limits.max_output_bytes = reader.size("max_output", limits.max_output_bytes, {kKibi, 4 * kMebi});
  limits.work_bytes = reader.size("work_size", limits.work_bytes, {kMebi, kKibi * kMebi});
  limits.tmp_bytes = reader.size("tmp_size", limits.tmp_bytes, {kMebi, kKibi * kMebi});
  limits.max_entries = static_cast<std::uint32_t>(reader.integer("max_entries", limits.max_entries, {10, 100'000}));
  limits.max_returned_files =
      static_cast<std::uint32_t>(reader.integer("max_returned_files", limits.max_returned_files, {0, 1000}));
  limits.max_returned_bytes = reader.size("max_returned", limits.max_returned_bytes, {kKibi, 8 * kMebi});
  return limits;
}

}  // namespace

SandboxOptions read_sandbox(ConfigReader& reader) {
  SandboxOptions options;
  options.limits = read_limits(reader);
  options.languages = read_languages(reader);
  options.max_concurrent = reader.integer("max_concurrent", options.max_concurrent, {1, 256});
  options.python = read_path(reader, "python", options.python);
  options.folder = read_path(reader, "folder", options.folder);
  for (const std::string& path : reader.texts("read_only")) {
    if (!std::filesystem::path(path).is_absolute())
      reader.reject("read_only", "'" + path + "': expected absolute paths");
    options.read_only.emplace_back(path);
  }
  return options;
}

}  // namespace parley::kinds
