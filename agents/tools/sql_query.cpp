#include "agents/tools/sql_query.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <utility>

#include "agents/tools/tool_text.hpp"

namespace parley::tools {

namespace {

constexpr int kMaxValueBytes = 4 * 1024 * 1024;
constexpr int kMaxSqlBytes = 64 * 1024;
/// Steps of SQLite's machine between two looks at the abort flag: well below a millisecond.
constexpr int kStepsBetweenLooks = 2000;

bool is_one_of(const char* text, auto names) {
  return text != nullptr &&
         std::ranges::any_of(names, [text](const char* each) { return sqlite3_stricmp(text, each) == 0; });
}

/// Settings that only tell something.
bool is_harmless_pragma(const char* name) {
  constexpr std::array kHarmless{"table_info",  "table_xinfo",      "table_list",    "index_list",    "index_info",
                                 "index_xinfo", "foreign_key_list", "database_list", "function_list", "collation_list"};
  return is_one_of(name, kHarmless);
}

bool is_harmful_function(const char* name) {
  constexpr std::array kHarmful{"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "zeroblob"};
  return is_one_of(name, kHarmful);
}

bool is_system_table(const char* name) { return name != nullptr && sqlite3_strnicmp(name, "sqlite_", 7) == 0; }

int decide(SqlAccess access, int action, const char* first, const char* second) {
  const bool may_write = access != SqlAccess::read;
  const bool may_build = access == SqlAccess::schema;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return is_harmful_function(second) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
      return is_harmless_pragma(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      // Building writes to the system's tables.
      return may_build || (may_write && !is_system_table(first)) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_ALTER_TABLE:
    case SQLITE_REINDEX:
    case SQLITE_ANALYZE:
      return may_build ? SQLITE_OK : SQLITE_DENY;
    default:  // attached files, transactions over several calls, virtual and temporary tables
      return SQLITE_DENY;
  }
}

template <SqlAccess access>
int authorize(void* /*self*/, int action, const char* first, const char* second, const char* /*database*/,
              const char* /*trigger*/) {
  return decide(access, action, first, second);
}

/// Aborts the statement in hand when the flag is set; lives as long as the statement.
class AbortWatch {
 public:
  AbortWatch(sqlite3* database, const AbortFlag& abort) : database_(database) {
    sqlite3_progress_handler(
        database_, kStepsBetweenLooks, [](void* flag) { return static_cast<const AbortFlag*>(flag)->load() ? 1 : 0; },
        const_cast<AbortFlag*>(&abort));  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
  }
  AbortWatch(const AbortWatch&) = delete;
  AbortWatch& operator=(const AbortWatch&) = delete;
  ~AbortWatch() { sqlite3_progress_handler(database_, 0, nullptr, nullptr); }

 private:
  sqlite3* database_;
};

nlohmann::ordered_json json_value(const Statement& row, int column) {
  switch (sqlite3_column_type(row.handle(), column)) {
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_INTEGER:
      return row.integer(column);
    case SQLITE_FLOAT:
      return row.number(column);
    case SQLITE_BLOB:
      return "[" + std::to_string(sqlite3_column_bytes(row.handle(), column)) + " bytes]";
    default:
      return clean_utf8(row.text(column));
  }
}

/// One cell of a table: one line, and no bar that would look like the next cell.
std::string cell(const Statement& row, int column) {
  const nlohmann::ordered_json value = json_value(row, column);
  if (value.is_null()) return "NULL";
  if (!value.is_string()) return value.dump();
  std::string text;
  for (const char c : value.get_ref<const std::string&>()) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '|') {
      text += "\\|";
    } else if (c != '\r') {
      text += c;
    }
  }
  return text;
}

std::string row_text(const Statement& row, int columns, SqlFormat format) {
  if (format == SqlFormat::table) {
    std::string text;
    for (int i = 0; i < columns; ++i) text += (i == 0 ? "" : " | ") + cell(row, i);
    return text;
  }
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (int i = 0; i < columns; ++i) object[sqlite3_column_name(row.handle(), i)] = json_value(row, i);
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string header_text(const Statement& statement, int columns) {
  std::string text;
  for (int i = 0; i < columns; ++i)
    text += (i == 0 ? "" : " | ") + std::string(sqlite3_column_name(statement.handle(), i));
  return text + "\n";
}

Error failure_of(sqlite3* database, const Error& error) {
  if (sqlite3_errcode(database) == SQLITE_INTERRUPT) return {ErrorCode::timeout, "the query took too long"};
  return {ErrorCode::invalid, error.message, false};
}

}  // namespace

void restrict_database(Database& database, SqlAccess access) {
  sqlite3* handle = database.handle();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, kMaxSqlBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, 200);
  sqlite3_limit(handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
  sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, 20);
  sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
  switch (access) {
    case SqlAccess::read:
      sqlite3_set_authorizer(handle, &authorize<SqlAccess::read>, nullptr);
      break;
    case SqlAccess::rows:
      sqlite3_set_authorizer(handle, &authorize<SqlAccess::rows>, nullptr);
      break;
    case SqlAccess::schema:
      sqlite3_set_authorizer(handle, &authorize<SqlAccess::schema>, nullptr);
      break;
  }
}

Result<SqlAnswer> run_query(Database& database, std::string_view sql, SqlFormat format, const SqlLimits& limits,
                            const AbortFlag& abort) {
  const AbortWatch watch(database.handle(), abort);
  Result<Statement> statement = database.prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  const int columns = sqlite3_column_count(statement->handle());
  const std::int64_t changes_before = sqlite3_total_changes64(database.handle());
  SqlAnswer answer;
  if (columns > 0 && format == SqlFormat::table) answer.text = header_text(*statement, columns);
  std::size_t rows = 0;
  for (;;) {
    const Result<bool> has_row = statement->step();
    if (!has_row) return fail(failure_of(database.handle(), has_row.error()));
    if (!*has_row) break;
    if (rows >= limits.max_rows || answer.text.size() >= limits.max_bytes) {
      answer.is_truncated = true;
      break;
    }
    answer.text += row_text(*statement, columns, format) + "\n";
    ++rows;
  }
  if (columns == 0) {
    answer.text = std::to_string(sqlite3_total_changes64(database.handle()) - changes_before) + " rows changed";
  } else {
    answer.text += answer.is_truncated ? "(the first " + std::to_string(rows) + " rows; there are more)"
                                       : "(" + std::to_string(rows) + (rows == 1 ? " row)" : " rows)");
  }
  return answer;
}

std::string describe_schema(Database& database, std::size_t max_bytes) {
  Result<Statement> tables = database.prepare(
      "SELECT t.name, t.type, group_concat(c.name || ' ' || c.type || iif(c.pk, ' PRIMARY KEY', ''), ', ') "
      "FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c "
      "WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.type IN ('table', 'view', 'virtual') "
      "GROUP BY t.name ORDER BY t.name");
  if (!tables) return "(its tables cannot be listed: " + tables.error().message + ")";
  std::string text;
  for (;;) {
    const Result<bool> has_row = tables->step();
    if (!has_row || !*has_row) break;
    const std::string line =
        tables->text(0) + "(" + tables->text(2) + ")" + (tables->text(1) == "view" ? " -- a view" : "") + "\n";
    if (text.size() + line.size() > max_bytes) return text + "… and more tables: SELECT name FROM sqlite_schema";
    text += line;
  }
  return text.empty() ? "(no tables yet)" : text;
}

}  // namespace parley::tools
