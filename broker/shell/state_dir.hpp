// What a broker keeps on disk between its runs: the shard epoch, raised by one and made durable before anything else
// happens, so that an activation of an earlier run never outranks a later one; and the roster of connected workers, so
// that a recovery can end as soon as all are back; and what is quarantined, until it is released, and which workers
// drain, until they end. Without a directory the epoch is taken from the wall clock and there is no recovery. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/shell/file_lock.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/ps_report.hpp"

namespace parley::broker {

class StateDir {
 public:
  /// Creates `path` if needed (mode 0700), raises the epoch and reads the roster. Fails with `bad_configuration` when
  /// the directory cannot be used or another broker uses it.
  static Result<StateDir> open(const std::string& path);
  /// Keeps nothing.
  static StateDir in_memory(WallTime now);

  [[nodiscard]] std::uint32_t shard_epoch() const { return shard_epoch_; }
  /// True when an earlier run left its state here.
  [[nodiscard]] bool is_restart() const { return is_restart_; }
  [[nodiscard]] const std::vector<std::uint64_t>& roster() const { return roster_; }

  /// What is out of service, as an earlier run left it.
  [[nodiscard]] const std::vector<wire::PsQuarantine>& quarantines() const { return quarantines_; }
  /// Replaces the file of quarantines, flushed to the device.
  Result<> save_quarantines(const std::vector<wire::PsQuarantine>& quarantines);

  /// Incarnations of workers that were told to drain, as an earlier run left them.
  [[nodiscard]] const std::vector<std::uint64_t>& drains() const { return drains_; }
  /// Replaces the file of drains, flushed to the device.
  Result<> save_drains(const std::vector<std::uint64_t>& incarnations);

  /// Replaces the roster file. Not flushed to the device: it only shortens a recovery, and survives a killed process.
  Result<> save_roster(const std::vector<std::uint64_t>& roster);

 private:
  StateDir() = default;

  std::string path_;
  std::optional<FileLock> lock_;
  std::uint32_t shard_epoch_ = 1;
  bool is_restart_ = false;
  std::vector<std::uint64_t> roster_;
  std::vector<wire::PsQuarantine> quarantines_;
  std::vector<std::uint64_t> drains_;
};

}  // namespace parley::broker
