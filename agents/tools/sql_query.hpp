// SQL that a model wrote, run within bounds: one statement, only what its access allows (SQLite's own authorizer
// decides, statement by statement, table by table), only so many rows, only until it is aborted. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agents/tools/job_thread.hpp"
#include "agents/tools/sqlite.hpp"

namespace parley::tools {

enum class SqlAccess : std::uint8_t {
  read,    ///< the file is opened read-only
  rows,    ///< inserts, updates and deletes, too
  schema,  ///< creates, alters and drops, too
};

enum class SqlFormat : std::uint8_t { table, json_lines };

struct SqlLimits {
  std::size_t max_rows = 200;
  std::size_t max_bytes = std::size_t{64} * 1024;  ///< of the text of all rows; the tool's max_result_bytes
};

struct SqlAnswer {
  std::string text;
  bool is_truncated = false;
};

/// Takes from the connection what no query may have: attached files, extensions, settings, huge values, and whatever
/// the access does not allow. For good.
void restrict_database(Database& database, SqlAccess access);

/// Runs one statement. Fails with `invalid` (bad SQL, not allowed) and with `timeout` (aborted).
[[nodiscard]] Result<SqlAnswer> run_query(Database& database, std::string_view sql, SqlFormat format,
                                          const SqlLimits& limits, const AbortFlag& abort);

/// Tables and views with their columns, a line each, at most so many bytes.
[[nodiscard]] std::string describe_schema(Database& database, std::size_t max_bytes);

}  // namespace parley::tools
