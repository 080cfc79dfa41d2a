// The little of SQLite that tools and the knowledge base need, in classes that close what they open. Errors instead of
// exceptions. One thread at a time for each database.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace parley::tools {

enum class DatabaseMode : std::uint8_t {
  read,    ///< must exist, is never changed
  write,   ///< must exist
  create,  ///< made when it does not exist
};

class Statement {
 public:
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  /// True with a row, false at the end. Fails with `upstream_failed`.
  Result<bool> step();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double number(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  /// Fails with `bad_configuration`, naming the file.
  static Result<Database> open(const std::string& file, DatabaseMode mode);

  /// Statements without results. Fails with `invalid`.
  Result<> execute(const std::string& sql);
  /// One statement; fails with `invalid` for none, for two, and for bad SQL.
  Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] std::string last_error() const;
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace parley::tools
