#include "agents/tools/sqlite.hpp"

#include <sqlite3.h>

namespace parley::tools {

namespace {

constexpr int kBusyTimeoutMs = 2000;

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // SQLITE_TRANSIENT: SQLite copies it.
  sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(),
                      reinterpret_cast<sqlite3_destructor_type>(-1),  // NOLINT(performance-no-int-to-ptr)
                      SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(ErrorCode::upstream_failed, sqlite3_errmsg(sqlite3_db_handle(handle_.get())));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
double Statement::number(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(handle_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Result<Database> Database::open(const std::string& file, DatabaseMode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == DatabaseMode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == DatabaseMode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) {
    return fail(ErrorCode::bad_configuration, "cannot open the database " + file + ": " + sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database;
}

Result<> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(ErrorCode::invalid, last_error());
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle, &rest);
  Statement statement(handle);
  if (code != SQLITE_OK) return fail(ErrorCode::invalid, last_error());
  if (handle == nullptr) return fail(ErrorCode::invalid, "there is no SQL statement");
  // Behind it only white space and comments may follow, and SQLite knows best what those are.
  const auto left = static_cast<int>(sql.data() + sql.size() - rest);
  if (left > 0) {
    sqlite3_stmt* second = nullptr;
    code = sqlite3_prepare_v2(handle_.get(), rest, left, &second, nullptr);
    const Statement unwanted(second);
    if (code != SQLITE_OK || second != nullptr)
      return fail(ErrorCode::invalid, "expected one SQL statement, not several");
  }
  return statement;
}

std::string Database::last_error() const { return sqlite3_errmsg(handle_.get()); }

}  // namespace parley::tools
