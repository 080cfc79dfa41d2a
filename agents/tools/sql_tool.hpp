// Questions to a SQLite database, as a tool. The tables stand in its description. Queries run on a thread of their own,
// one after the other, so that a slow one does not hold up the loop. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "agents/tools/job_thread.hpp"
#include "agents/tools/sql_query.hpp"
#include "agents/tools/tool.hpp"

namespace parley::tools {

struct SqlToolOptions {
  std::string name;
  std::string description = {};  ///< of the data; access and tables are added
  std::string database;          ///< file
  /// SQL file that makes the database when there is none yet; empty: there must be one.
  std::string init = {};
  SqlAccess access = SqlAccess::read;
  SqlFormat format = SqlFormat::table;
  SqlLimits limits;
};

class SqlTool final : public Tool {
 public:
  /// Fails with `bad_configuration` when the database cannot be opened or made.
  static Result<std::shared_ptr<SqlTool>> make(SqlToolOptions options, asio::io_context& io);

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] Task<Result<messages::ToolResult>> call(nlohmann::json arguments, ToolContext& context) override;

 private:
  SqlTool(SqlToolOptions options, Database database, asio::io_context& io);

  SqlToolOptions options_;
  Database database_;  ///< used on the thread
  llm::ToolSpec spec_;
  JobThread thread_;  ///< last: its jobs use the database
};

}  // namespace parley::tools
