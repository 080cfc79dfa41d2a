// Where a sandbox keeps its files on the host: a folder of its own, held by a lock as long as it lives. What a process
// that was killed has left behind is removed by the next one. Before the loop runs.
#pragma once

#include <filesystem>

#include "agents/sandbox/descriptor.hpp"
#include "libmsg/core/error.hpp"

namespace parley::sandbox {

struct StateFolder {
  std::filesystem::path path;
  Descriptor lock;
};

/// /tmp/parley-sandbox-<user id>.
[[nodiscard]] std::filesystem::path default_state_folder();

/// A new folder below `base`, with the few files that a sandbox has in /etc. Fails with `bad_configuration` when `base`
/// cannot be made, or others than this user may write in it.
[[nodiscard]] Result<StateFolder> make_state_folder(const std::filesystem::path& base);

}  // namespace parley::sandbox
