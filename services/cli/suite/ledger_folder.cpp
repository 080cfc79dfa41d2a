#include "services/cli/suite/ledger_folder.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <string_view>

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

/// The specification of base directories says to ignore relative ones.
fs::path absolute_from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value == '/' ? fs::path(value) : fs::path();
}

fs::path state_home() {
  if (fs::path state = absolute_from_environment("XDG_STATE_HOME"); !state.empty()) return state;
  const fs::path home = absolute_from_environment("HOME");
  return home.empty() ? home : home / ".local" / "state";
}

/// FNV-1a: the same in every version, since money hangs on it.
std::uint64_t path_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

/// For people who look into the folder; most files are called parley.yaml.
std::string readable_name(const fs::path& file) {
  std::string name = file.parent_path().filename().string() + "-" + file.stem().string();
  constexpr std::size_t kMaxName = 80;
  if (name.size() > kMaxName) name.resize(kMaxName);
  std::ranges::replace_if(
      name,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-');
      },
      '_');
  return name;
}

}  // namespace

Result<fs::path> ledger_folder_of(const fs::path& suite_file) {
  const fs::path home = state_home();
  if (home.empty()) {
    return fail(ErrorCode::bad_configuration,
                "the file has budgets, and there is no place to keep them: set XDG_STATE_HOME or HOME");
  }
  std::error_code failure;
  fs::path file = fs::weakly_canonical(suite_file, failure);
  if (failure) file = fs::absolute(suite_file, failure);
  return home / "parley" / "ledger" / fmt::format("{}-{:016x}", readable_name(file), path_hash(file.string()));
}

}  // namespace parley::cli
