// The book in an SQLite file: write-ahead log, flushed to the device at every commit. One process at a time may have
// it. Loop thread.
#pragma once

#include <filesystem>
#include <memory>

#include "services/ledger/store.hpp"

namespace parley::ledger {

class SqliteStore final : public LedgerStore {
 public:
  /// The version of the tables, in the file's `user_version`.
  static constexpr int kSchema = 1;
  /// Settled calls that load() gives to learn from.
  static constexpr int kRecentCalls = 2000;

  /// Makes the folder (mode 0700) and the file `ledger.db` in it if they are missing. Fails with `bad_configuration`
  /// when the folder cannot be used, another ledger uses it, or the file is none of ours or of a newer version.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& folder);
  ~SqliteStore() override;

  Result<StoredBook> load() override;
  Result<std::vector<ClosedCall>> find_closed(std::span<const std::string> ids) override;
  Result<> commit(const BookChanges& changes) override;
  Result<> forget_closed_before(WallTime time) override;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::ledger
