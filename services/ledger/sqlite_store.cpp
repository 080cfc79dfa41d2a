#include "services/ledger/sqlite_store.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <algorithm>
#include <cstdint>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "broker/shell/file_lock.hpp"
#include "services/ledger/calendar.hpp"

namespace parley::ledger {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE accounts (
  budget TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, since_ms INTEGER NOT NULL,
  touched_ms INTEGER NOT NULL, nano_usd INTEGER NOT NULL, tokens INTEGER NOT NULL, estimated_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (budget, subject)) WITHOUT ROWID;
CREATE TABLE reservations (
  id TEXT PRIMARY KEY, agent TEXT NOT NULL, conversation TEXT NOT NULL, model TEXT NOT NULL, nano_usd INTEGER NOT NULL,
  tokens INTEGER NOT NULL, input_tokens INTEGER NOT NULL, guessed_input INTEGER NOT NULL, is_priced INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE closed (
  id TEXT PRIMARY KEY, ending INTEGER NOT NULL, at_ms INTEGER NOT NULL, agent TEXT NOT NULL,
  conversation TEXT NOT NULL, model TEXT NOT NULL, nano_usd INTEGER NOT NULL, tokens INTEGER NOT NULL,
  guessed_input INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX closed_at ON closed (at_ms);
CREATE TABLE limits (
  name TEXT PRIMARY KEY, scope TEXT NOT NULL, subject TEXT NOT NULL, per TEXT NOT NULL, nano_usd INTEGER,
  tokens INTEGER, is_soft INTEGER NOT NULL) WITHOUT ROWID;
)";

// SQLite's integers are signed; what does not fit would be more than all money there is.
std::int64_t to_sql(std::uint64_t value) {
  constexpr std::uint64_t kMax = INT64_MAX;
  return static_cast<std::int64_t>(std::min(value, kMax));
}
std::int64_t to_sql(WallTime time) { return time.time_since_epoch().count(); }
std::uint64_t number_of(const SQLite::Column& column) {
  const std::int64_t value = column.getInt64();
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}
WallTime time_of(const SQLite::Column& column) { return WallTime(std::chrono::milliseconds(column.getInt64())); }

/// A prepared statement that is used again and again.
class Command {
 public:
  Command(SQLite::Database& database, const char* text) : statement_(database, text) {}

  template <class... Values>
  void run(const Values&... values) {
    statement_.reset();
    int index = 0;
    (bind(++index, values), ...);
    statement_.exec();
  }
  template <class Each, class... Values>
  void each(const Each& each, const Values&... values) {
    statement_.reset();
    int index = 0;
    (bind(++index, values), ...);
    while (statement_.executeStep()) each(statement_);
    statement_.reset();
  }

 private:
  void bind(int index, const std::string& text) { statement_.bindNoCopy(index, text); }
  void bind(int index, std::int64_t value) { statement_.bind(index, value); }
  void bind(int index, std::uint64_t value) { statement_.bind(index, to_sql(value)); }
  void bind(int index, bool value) { statement_.bind(index, value ? 1 : 0); }
  void bind(int index, WallTime value) { statement_.bind(index, to_sql(value)); }
  void bind(int index, const std::optional<std::uint64_t>& value) {
    if (value) {
      bind(index, *value);
    } else {
      statement_.bind(index);
    }
  }

  SQLite::Statement statement_;
};

ClosedCall closed_from(const SQLite::Statement& row) {
  ClosedCall call;
  call.id = row.getColumn(0).getString();
  call.ending = static_cast<Ending>(row.getColumn(1).getInt());
  call.at = time_of(row.getColumn(2));
  call.payer = {row.getColumn(3).getString(), row.getColumn(4).getString(), row.getColumn(5).getString()};
  call.charged = {number_of(row.getColumn(6)), number_of(row.getColumn(7))};
  call.guessed_input = number_of(row.getColumn(8));
  call.input_tokens = number_of(row.getColumn(9));
  call.output_tokens = number_of(row.getColumn(10));
  return call;
}

std::optional<std::uint64_t> optional_number(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return number_of(column);
}

std::unexpected<Error> unusable(const std::filesystem::path& path, const std::string& reason) {
  return fail(ErrorCode::bad_configuration, fmt::format("the ledger cannot use {}: {}", path.string(), reason));
}

/// Fails when the file is of another program or of a newer version.
void prepare(SQLite::Database& database) {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version == SqliteStore::kSchema) return;
  if (version > SqliteStore::kSchema) {
    throw SQLite::Exception(
        fmt::format("its tables are of version {}, and this program knows {}", version, SqliteStore::kSchema));
  }
  if (database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() != 0) {
    throw SQLite::Exception("it is another program's database");
  }
  SQLite::Transaction transaction(database);
  database.exec(kTables);
  database.exec(fmt::format("PRAGMA user_version = {}", SqliteStore::kSchema));
  transaction.commit();
}

}  // namespace

struct SqliteStore::Impl {
  Impl(broker::FileLock held, const std::string& file)
      : lock(std::move(held)), database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    prepare(database);
    commands.emplace(database);
  }

  struct Commands {
    explicit Commands(SQLite::Database& database)
        : put_account(database, "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
          drop_account(database, "DELETE FROM accounts WHERE budget = ? AND subject = ?"),
          open(database, "INSERT OR REPLACE INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
          end(database, "DELETE FROM reservations WHERE id = ?"),
          close(database, "INSERT OR REPLACE INTO closed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
          find_closed(database, "SELECT * FROM closed WHERE id = ?"),
          forget(database, "DELETE FROM closed WHERE at_ms < ?"),
          put_limit(database, "INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?, ?, ?, ?)"),
          drop_limit(database, "DELETE FROM limits WHERE name = ?") {}
    Command put_account, drop_account, open, end, close, find_closed, forget, put_limit, drop_limit;
  };

  void write(const BookChanges& changes) {
    for (const AccountKey& key : changes.dropped_accounts) commands->drop_account.run(key.limit, key.subject);
    for (const Account& account : changes.accounts) {
      commands->put_account.run(account.limit, account.subject, account.kind, account.since, account.touched,
                                account.spent.nano_usd, account.spent.tokens, account.estimated_nano_usd);
    }
    for (const Reservation& each : changes.opened) {
      commands->open.run(each.id, each.payer.agent, each.payer.conversation, each.payer.model, each.amount.nano_usd,
                         each.amount.tokens, each.input_tokens, each.guessed_input, each.is_priced, each.opened);
    }
    for (const ClosedCall& call : changes.closed) {
      commands->end.run(call.id);
      commands->close.run(call.id, static_cast<std::int64_t>(call.ending), call.at, call.payer.agent,
                          call.payer.conversation, call.payer.model, call.charged.nano_usd, call.charged.tokens,
                          call.guessed_input, call.input_tokens, call.output_tokens);
    }
    for (const std::string& name : changes.forgotten_limits) commands->drop_limit.run(name);
    for (const budget::Limit& limit : changes.set_limits) {
      const std::string scope(budget::to_string(limit.scope));
      const std::string per(budget::to_string(limit.period));
      commands->put_limit.run(limit.name, scope, limit.subject, per, limit.nano_usd, limit.tokens, limit.is_soft);
    }
  }

  /// Runs something that may throw what SQLite has to say.
  template <class Work>
  static auto guarded(const Work& work) -> Result<decltype(work())> {
    try {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        return {};
      } else {
        return work();
      }
    } catch (const SQLite::Exception& failure) {
      return fail(ErrorCode::upstream_failed, fmt::format("the ledger's database: {}", failure.what()));
    }
  }

  broker::FileLock lock;
  SQLite::Database database;
  std::optional<Commands> commands;
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& folder) {
  std::error_code failure;
  if (std::filesystem::create_directories(folder, failure)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
  }
  if (failure) return unusable(folder, failure.message());
  auto lock = broker::FileLock::try_lock((folder / "ledger.lock").string());
  if (!lock) return fail(std::move(lock).error());
  if (!*lock) return unusable(folder, "another ledger uses it");
  const std::filesystem::path file = folder / "ledger.db";
  try {
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<Impl>(std::move(**lock), file.string())));
  } catch (const SQLite::Exception& wrong) {
    return unusable(file, wrong.what());
  }
}

Result<StoredBook> SqliteStore::load() {
  return Impl::guarded([this] {
    StoredBook book;
    Command accounts(impl_->database, "SELECT * FROM accounts");
    accounts.each([&](const SQLite::Statement& row) {
      book.accounts.push_back({row.getColumn(0).getString(),
                               row.getColumn(1).getString(),
                               row.getColumn(2).getString(),
                               time_of(row.getColumn(3)),
                               time_of(row.getColumn(4)),
                               {number_of(row.getColumn(5)), number_of(row.getColumn(6))},
                               number_of(row.getColumn(7))});
    });
    Command reservations(impl_->database, "SELECT * FROM reservations");
    reservations.each([&](const SQLite::Statement& row) {
      book.reservations.push_back(
          {row.getColumn(0).getString(),
           {row.getColumn(1).getString(), row.getColumn(2).getString(), row.getColumn(3).getString()},
           {number_of(row.getColumn(4)), number_of(row.getColumn(5))},
           number_of(row.getColumn(6)),
           number_of(row.getColumn(7)),
           row.getColumn(8).getInt() != 0,
           time_of(row.getColumn(9))});
    });
    Command limits(impl_->database, "SELECT * FROM limits");
    limits.each([&](const SQLite::Statement& row) {
      messages::BudgetLimit message{row.getColumn(0).getString(), row.getColumn(1).getString(),
                                    row.getColumn(2).getString(), row.getColumn(3).getString()};
      message.has_usd = !row.getColumn(4).isNull();
      message.nano_usd = optional_number(row.getColumn(4)).value_or(0);
      message.has_tokens = !row.getColumn(5).isNull();
      message.tokens = optional_number(row.getColumn(5)).value_or(0);
      message.is_soft = row.getColumn(6).getInt() != 0;
      Result<budget::Limit> limit = budget::limit_from(message);
      if (!limit) throw SQLite::Exception("a limit in it is malformed: " + limit.error().message);
      book.set_limits.push_back(std::move(*limit));
    });
    Command recent(impl_->database,
                   "SELECT * FROM (SELECT * FROM closed WHERE ending = 0 AND output_tokens > 0 ORDER BY at_ms DESC "
                   "LIMIT ?) ORDER BY at_ms");
    const std::int64_t count = kRecentCalls;
    recent.each([&](const SQLite::Statement& row) { book.recent.push_back(closed_from(row)); }, count);
    return book;
  });
}

Result<std::vector<ClosedCall>> SqliteStore::find_closed(std::span<const std::string> ids) {
  return Impl::guarded([&] {
    std::vector<ClosedCall> found;
    for (const std::string& id : ids) {
      impl_->commands->find_closed.each([&](const SQLite::Statement& row) { found.push_back(closed_from(row)); }, id);
    }
    return found;
  });
}

Result<> SqliteStore::commit(const BookChanges& changes) {
  return Impl::guarded([&] {
    SQLite::Transaction transaction(impl_->database);
    impl_->write(changes);
    transaction.commit();
  });
}

Result<> SqliteStore::forget_closed_before(WallTime time) {
  return Impl::guarded([&] { impl_->commands->forget.run(time); });
}

}  // namespace parley::ledger
