// Facts and decisions in SQLite, found by the words of a question (FTS5, bm25). Scopes keep teams apart. Bounded.
// Blocks; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agents/tools/sqlite.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/messages/knowledge.hpp"

namespace parley::tools {

struct KnowledgeLimits {
  std::size_t max_facts = 10'000;                      ///< of one scope
  std::size_t max_total = 1'000'000;                   ///< of all scopes
  std::size_t max_fact_bytes = std::size_t{8} * 1024;  ///< of all its texts
  /// A full scope forgets its oldest fact (decisions stay); else it refuses new ones.
  bool forgets_oldest = false;
};

class KnowledgeStore {
 public:
  /// `:memory:` for one that ends with the process. Fails with `bad_configuration`.
  static Result<KnowledgeStore> open(const std::string& file, KnowledgeLimits limits);

  /// Fails with `invalid` (no text, unknown kind), `too_large`, and `overloaded` when the scope is full.
  Result<messages::Remembered> remember(const std::string& scope, const messages::Remember& fact, WallTime now);
  Result<messages::Facts> recall(const std::string& scope, const messages::Recall& question);
  Result<messages::Facts> list(const std::string& scope, const messages::KnowledgeList& page);
  /// Fails with `invalid` when the scope has no fact of this id.
  Result<> forget(const std::string& scope, std::uint64_t id);

 private:
  KnowledgeStore(Database database, KnowledgeLimits limits) : database_(std::move(database)), limits_(limits) {}
  Result<std::int64_t> count(const std::string& sql, const std::string& scope);
  Result<> make_room(const std::string& scope);
  Result<messages::Facts> read_facts(Statement statement, const std::string& scope);

  Database database_;
  KnowledgeLimits limits_;
};

/// The words of a text as an FTS5 expression that any of them satisfies; empty when it has none. Pure.
[[nodiscard]] std::string match_expression(std::string_view text);

}  // namespace parley::tools
