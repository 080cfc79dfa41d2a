// Files below a folder that is given by its descriptor, without following a link: what code in a sandbox has left there
// may lead anywhere. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::sandbox {

inline constexpr std::size_t kMaxFileNameBytes = 512;
inline constexpr std::size_t kMaxFolderDepth = 8;

/// Changes whenever the file is written.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct FoundFile {
  std::string name;  ///< relative to the folder
  std::uint64_t bytes = 0;
  bool is_executable = false;
  FileStamp stamp;
};

struct FoundTree {
  std::vector<FoundFile> files;  ///< plain ones, in the order of their names
  /// Links, sockets, unreadable folders, names that are too long, and what lies too deep.
  std::vector<std::string> left_out;
};

/// A path such as `data/in.csv`: relative, no `.` and `..`, no control characters, at most kMaxFolderDepth folders.
[[nodiscard]] bool is_valid_file_name(std::string_view name);

/// Makes the folders on the way. `owner`: the user to write as, for root; files in a sandbox must be its own. Gives the
/// stamp of the new file.
Result<FileStamp> write_file(int folder, const std::string& name, std::string_view bytes, bool is_executable,
                             std::optional<uid_t> owner);

/// Everything below the folder; stops after `max_entries`, and the rest is left out.
[[nodiscard]] FoundTree find_files(int folder, std::size_t max_entries);

/// A plain file of at most `max_bytes`.
[[nodiscard]] Result<std::string> read_file(int folder, const std::string& name, std::size_t max_bytes);

}  // namespace parley::sandbox
