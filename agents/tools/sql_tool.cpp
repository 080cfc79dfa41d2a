#include "agents/tools/sql_tool.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace parley::tools {

using messages::ToolResult;

namespace {

constexpr std::size_t kMaxSchemaBytes = std::size_t{8} * 1024;
constexpr std::string_view kQueryParameters =
    R"({"type":"object","properties":{"query":{"type":"string","minLength":1,"maxLength":65536,"description":"One SQL statement in SQLite's dialect."}},"required":["query"],"additionalProperties":false})";

std::string describe_sql(const SqlToolOptions& options, Database& database) {
  std::string text = options.description.empty() ? "Asks a SQLite database." : options.description;
  switch (options.access) {
    case SqlAccess::read:
      text += " Only queries (SELECT): the database is read-only.";
      break;
    case SqlAccess::rows:
      text += " SELECT, INSERT, UPDATE and DELETE.";
      break;
    case SqlAccess::schema:
      text += " SELECT, INSERT, UPDATE, DELETE, and CREATE, ALTER, DROP.";
      break;
  }
  text += " At most " + std::to_string(options.limits.max_rows) + " rows come back.\nTables:\n";
  return text + describe_schema(database, kMaxSchemaBytes);
}

/// Under another name first: a script that fails half way leaves no database behind.
Result<> make_database(const SqlToolOptions& options) {
  std::ifstream in(options.init);
  if (!in) return fail(ErrorCode::bad_configuration, "cannot read " + options.init);
  const std::string script{std::istreambuf_iterator<char>(in), {}};
  const std::string draft = options.database + ".draft-" + std::to_string(::getpid());
  std::error_code ignored;
  std::filesystem::remove(draft, ignored);
  {
    Result<Database> database = Database::open(draft, DatabaseMode::create);
    if (!database) return fail(std::move(database).error());
    const Result<> done = database->execute(script);
    if (!done) {
      std::filesystem::remove(draft, ignored);
      return fail(ErrorCode::bad_configuration, options.init + ": " + done.error().message);
    }
  }
  std::error_code failure;
  std::filesystem::rename(draft, options.database, failure);
  if (failure) return fail(ErrorCode::bad_configuration, "cannot make " + options.database + ": " + failure.message());
  return {};
}

}  // namespace

Result<std::shared_ptr<SqlTool>> SqlTool::make(SqlToolOptions options, asio::io_context& io) {
  if (!options.init.empty() && !std::filesystem::exists(options.database)) {
    const Result<> made = make_database(options);
    if (!made) return fail(made.error());
  }
  const DatabaseMode mode = options.access == SqlAccess::read ? DatabaseMode::read : DatabaseMode::write;
  Result<Database> database = Database::open(options.database, mode);
  if (!database) return fail(std::move(database).error());
  const Result<> readable = database->execute("SELECT count(*) FROM sqlite_schema");
  if (!readable) {
    return fail(ErrorCode::bad_configuration, options.database + ": " + readable.error().message);
  }
  return std::shared_ptr<SqlTool>(new SqlTool(std::move(options), std::move(*database), io));
}

SqlTool::SqlTool(SqlToolOptions options, Database database, asio::io_context& io)
    : options_(std::move(options)),
      database_(std::move(database)),
      spec_{options_.name, describe_sql(options_, database_), std::string(kQueryParameters)},
      thread_(io.get_executor()) {
  restrict_database(database_, options_.access);
}

Task<Result<ToolResult>> SqlTool::call(nlohmann::json arguments, ToolContext& /*context*/) {
  std::function<Result<SqlAnswer>(const AbortFlag&)> job =
      [this, sql = arguments.at("query").get<std::string>()](const AbortFlag& abort) {
        return run_query(database_, sql, options_.format, options_.limits, abort);
      };
  Result<SqlAnswer> answer = co_await thread_.run<SqlAnswer>(std::move(job));
  if (!answer) co_return fail(std::move(answer).error());
  ToolResult result;
  result.content = std::move(answer->text);
  result.is_truncated = answer->is_truncated;
  co_return result;
}

}  // namespace parley::tools
