#include "broker/shell/state_dir.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace parley::broker {
namespace {

enum class Durability : std::uint8_t { page_cache, device };

std::unexpected<Error> bad(const std::string& path, const std::string& why) {
  return fail(ErrorCode::bad_configuration, "state directory: " + path + ": " + why);
}

bool sync_path(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_synced = fsync(fd) == 0;
  close(fd);
  return is_synced;
}

/// Replaces a file as a whole: a reader, or the next run, finds the old content or the new, never half.
Result<> replace_file(const std::string& directory, const std::string& name, const std::string& content,
                      Durability durability) {
  const std::string target = directory + "/" + name;
  const std::string fresh = target + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << content;
    out.flush();
    if (!out) return bad(fresh, "cannot write");
  }
  if (durability == Durability::device && !sync_path(fresh, O_RDONLY)) return bad(fresh, std::strerror(errno));
  if (std::rename(fresh.c_str(), target.c_str()) != 0) return bad(target, std::strerror(errno));
  if (durability == Durability::device && !sync_path(directory, O_RDONLY | O_DIRECTORY)) {
    return bad(directory, std::strerror(errno));
  }
  return {};
}

/// The last epoch used here; 0 when there was none. A damaged file stops the broker: starting again from 1 would let
/// activations of an earlier run win.
Result<std::uint32_t> read_epoch(const std::string& path) {
  std::ifstream in(path);
  if (!in) return 0;
  std::uint64_t epoch = 0;
  if (!(in >> epoch) || epoch == 0 || epoch >= std::numeric_limits<std::uint32_t>::max()) {
    return bad(path, "does not hold an epoch; restore it, or remove it when no worker of an earlier run is left");
  }
  return static_cast<std::uint32_t>(epoch);
}

std::vector<std::uint64_t> read_roster(const std::string& path) {
  std::vector<std::uint64_t> roster;
  std::ifstream in(path);
  std::uint64_t incarnation = 0;
  while (in >> incarnation) roster.push_back(incarnation);
  return roster;
}

/// A damaged file stops the broker: what somebody took out of service must not come back by itself.
Result<std::vector<wire::PsQuarantine>> read_quarantines(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::vector<wire::PsQuarantine>();
  const auto rows = nlohmann::json::parse(in, nullptr, false);
  std::vector<wire::PsQuarantine> quarantines;
  for (const auto& row : rows.is_array() ? rows : nlohmann::json::array({nullptr})) {
    const bool is_valid = row.is_object() && row.contains("key") && row["key"].is_string() && row.contains("reason") &&
                          row["reason"].is_string() && row.contains("since_ms") && row["since_ms"].is_number_unsigned();
    if (!is_valid) return bad(path, "does not hold quarantines; restore it, or remove it to release all agents");
    quarantines.push_back({row["key"], row["reason"], row["since_ms"], 0});
    // An older broker did not note who.
    if (row.contains("by") && row["by"].is_string()) quarantines.back().by = row["by"];
  }
  return quarantines;
}

/// As with quarantines: a damaged file stops the broker.
Result<std::vector<std::uint64_t>> read_drains(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::uint64_t> incarnations;
  if (!in) return incarnations;
  std::uint64_t incarnation = 0;
  while (in >> incarnation) incarnations.push_back(incarnation);
  if (!in.eof()) return bad(path, "does not hold incarnations of workers; restore it, or remove it to end all drains");
  return incarnations;
}

std::string lines_of(const std::vector<std::uint64_t>& numbers) {
  std::ostringstream content;
  for (const std::uint64_t number : numbers) content << number << '\n';
  return content.str();
}

}  // namespace

Result<StateDir> StateDir::open(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) {
    std::filesystem::create_directories(path, failure);
    if (failure) return bad(path, "cannot create: " + failure.message());
    chmod(path.c_str(), S_IRWXU);
  }
  auto lock = FileLock::try_lock(path + "/lock");
  if (!lock) return fail(std::move(lock).error());
  if (!*lock) return bad(path, "is in use by another parley-broker");

  const auto last = read_epoch(path + "/epoch");
  if (!last) return fail(last.error());
  StateDir state;
  state.path_ = path;
  state.lock_ = std::move(*lock);
  state.is_restart_ = *last != 0;
  state.shard_epoch_ = *last + 1;
  if (auto written = replace_file(path, "epoch", std::to_string(state.shard_epoch_) + "\n", Durability::device);
      !written) {
    return fail(std::move(written).error());
  }
  if (state.is_restart_) state.roster_ = read_roster(path + "/roster");
  auto quarantines = read_quarantines(path + "/quarantines");
  if (!quarantines) return fail(std::move(quarantines).error());
  state.quarantines_ = std::move(*quarantines);
  auto drains = read_drains(path + "/drains");
  if (!drains) return fail(std::move(drains).error());
  state.drains_ = std::move(*drains);
  return state;
}

StateDir StateDir::in_memory(WallTime now) {
  StateDir state;
  state.shard_epoch_ =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  return state;
}

Result<> StateDir::save_roster(const std::vector<std::uint64_t>& roster) {
  if (path_.empty()) return {};
  return replace_file(path_, "roster", lines_of(roster), Durability::page_cache);
}

Result<> StateDir::save_drains(const std::vector<std::uint64_t>& incarnations) {
  if (path_.empty()) return {};
  return replace_file(path_, "drains", lines_of(incarnations), Durability::device);
}

Result<> StateDir::save_quarantines(const std::vector<wire::PsQuarantine>& quarantines) {
  if (path_.empty()) return {};
  auto rows = nlohmann::json::array();
  for (const wire::PsQuarantine& row : quarantines) {
    rows.push_back({{"key", row.key}, {"reason", row.reason}, {"since_ms", row.since_ms}, {"by", row.by}});
  }
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return replace_file(path_, "quarantines", rows.dump(1, ' ', false, kReplace) + "\n", Durability::device);
}

}  // namespace parley::broker
