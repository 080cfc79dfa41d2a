#include "agents/sandbox/bwrap_command.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace parley::sandbox {
namespace {

using Words = std::vector<std::string>;

void add(Words& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

void add_identity(Words& words, const Host& host) {
  if (!host.run_as) return;
  const std::string id = std::to_string(*host.run_as);
  add(words, {host.setpriv.string(), "--reuid=" + id, "--regid=" + id, "--clear-groups", "--no-new-privs",
              "--pdeathsig=KILL", "--"});
}

void add_namespaces(Words& words) {
  add(words, {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
              "--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
              "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"});
}

void add_tmpfs(Words& words, std::uint64_t bytes, const char* path) {
  add(words, {"--size", std::to_string(bytes), "--tmpfs", path});
}

void add_mounts(Words& words, const Host& host, const SandboxLimits& limits) {
  add(words, {"--ro-bind", "/usr", "/usr"});
  for (const auto& [link, target] : host.root_links) add(words, {"--symlink", target, link});
  for (const std::string& folder : host.root_folders) add(words, {"--ro-bind", folder, folder});
  add(words, {"--proc", "/proc", "--dev", "/dev"});
  add_tmpfs(words, limits.tmp_bytes, kSharedMemoryPath);
  // After the mounts within them, nothing can be made in these any more: they are memory without a limit.
  add(words, {"--remount-ro", "/dev"});
  add_tmpfs(words, limits.tmp_bytes, kTmpPath);
  add_tmpfs(words, limits.work_bytes, kWorkPath);
  for (const char* file : {"passwd", "group", "hosts"}) {
    add(words, {"--ro-bind", (host.etc / file).string(), std::string("/etc/") + file});
  }
  for (const char* path : {"/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"}) {
    add(words, {"--ro-bind-try", path, path});
  }
  for (const std::filesystem::path& path : host.read_only) add(words, {"--ro-bind", path.string(), path.string()});
}

void add_environment(Words& words) {
  add(words, {"--clearenv"});
  constexpr std::array<std::pair<const char*, const char*>, 9> kVariables{{{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                                           {"HOME", kWorkPath},
                                                                           {"TMPDIR", kTmpPath},
                                                                           {"LANG", "C.UTF-8"},
                                                                           {"USER", "agent"},
                                                                           {"PYTHONPATH", kWorkPath},
                                                                           {"PYTHONDONTWRITEBYTECODE", "1"},
                                                                           {"PYTHONUNBUFFERED", "1"},
                                                                           {"PYTHONIOENCODING", "utf-8:replace"}}};
  for (const auto& [name, value] : kVariables) add(words, {"--setenv", name, value});
  add(words, {"--chdir", kWorkPath});
}

/// Says that all is set up, waits for the files to be in their place, and becomes the code with its limits.
void add_program(Words& words, const Host& host, const SandboxLimits& limits, Language language) {
  const std::string control = std::to_string(kControlDescriptor);
  const std::string start =
      "printf r >&" + control + " && read -r go <&" + control + " && exec " + control + ">&- && exec \"$@\"";
  add(words, {"/bin/sh", "-c", start, "sh", host.prlimit.string()});
  const auto cpu = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(limits.cpu_time).count());
  const auto limit = [&words](const char* name, std::uint64_t soft, std::uint64_t hard) {
    words.push_back(std::string("--") + name + "=" + std::to_string(soft) + ":" + std::to_string(hard));
  };
  limit("cpu", static_cast<std::uint64_t>(cpu), static_cast<std::uint64_t>(cpu) + 1);
  limit("data", limits.memory_bytes, limits.memory_bytes);
  // Address space costs nothing until it is used, and some runtimes reserve a lot; this bounds shared mappings.
  limit("as", limits.memory_bytes * 8, limits.memory_bytes * 8);
  limit("nproc", limits.max_processes, limits.max_processes);
  limit("nofile", limits.max_open_files, limits.max_open_files);
  limit("fsize", limits.work_bytes, limits.work_bytes);
  limit("core", 0, 0);
  const bool is_python = language == Language::python;
  add(words,
      {"--", is_python ? host.python.string() : host.shell.string(), is_python ? "/run/main.py" : "/run/main.sh"});
}

}  // namespace

std::vector<std::string> bwrap_command(const Host& host, const SandboxLimits& limits, Language language) {
  Words words;
  add_identity(words, host);
  words.push_back(host.bwrap.string());
  add_namespaces(words);
  add_mounts(words, host, limits);
  add(words, {"--perms", "0444", "--ro-bind-data", std::to_string(kCodeDescriptor),
              language == Language::python ? "/run/main.py" : "/run/main.sh", "--remount-ro", "/"});
  add_environment(words);
  add(words,
      {"--seccomp", std::to_string(kSeccompDescriptor), "--json-status-fd", std::to_string(kStatusDescriptor), "--"});
  add_program(words, host, limits, language);
  return words;
}

}  // namespace parley::sandbox
