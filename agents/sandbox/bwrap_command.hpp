// The command line that starts a sandbox: bubblewrap with its namespaces, mounts and limits, and in it the interpreter.
// Pure; any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "agents/sandbox/limits.hpp"
#include "agents/sandbox/run_request.hpp"

namespace parley::sandbox {

/// The numbers of the descriptors that the command is given.
inline constexpr int kControlDescriptor = 3;  ///< says `r` when all is set up, and starts the code at a line
inline constexpr int kStatusDescriptor = 4;   ///< bubblewrap writes JSON: the process id of the sandbox's first process
inline constexpr int kSeccompDescriptor = 5;
inline constexpr int kCodeDescriptor = 6;

/// Where the work folder and the code are seen from within.
inline constexpr const char* kWorkPath = "/work";
inline constexpr const char* kTmpPath = "/tmp";
inline constexpr const char* kSharedMemoryPath = "/dev/shm";

/// What the machine offers.
struct Host {
  std::filesystem::path bwrap = "/usr/bin/bwrap";
  std::filesystem::path python = "/usr/bin/python3";
  std::filesystem::path shell = "/bin/bash";
  std::filesystem::path prlimit = "/usr/bin/prlimit";
  std::filesystem::path setpriv = "/usr/bin/setpriv";
  /// Folder with the few files of the sandbox's /etc.
  std::filesystem::path etc;
  /// Links at the root, such as /lib → usr/lib, and folders there that are no links.
  std::vector<std::pair<std::string, std::string>> root_links;
  std::vector<std::string> root_folders;
  /// Further files and folders that are seen, read-only, where they are.
  std::vector<std::filesystem::path> read_only;
  /// Root runs the sandbox as this user: the limit on processes does not hold for root.
  std::optional<uid_t> run_as;
};

[[nodiscard]] std::vector<std::string> bwrap_command(const Host& host, const SandboxLimits& limits, Language language);

}  // namespace parley::sandbox
