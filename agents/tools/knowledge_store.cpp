#include "agents/tools/knowledge_store.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "libmsg/core/ascii.hpp"

namespace parley::tools {

using messages::Fact;
using messages::Facts;
using messages::KnowledgeList;
using messages::Recall;
using messages::Remember;
using messages::Remembered;

namespace {

constexpr std::uint32_t kMaxPage = 100;
constexpr std::size_t kMaxWords = 40;
constexpr std::size_t kMaxWordBytes = 64;

constexpr const char* kSchema = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS facts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
  source TEXT NOT NULL, rationale TEXT NOT NULL, author TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS facts_by_scope ON facts (scope, id);
CREATE INDEX IF NOT EXISTS facts_by_text ON facts (scope, kind, text);
CREATE VIRTUAL TABLE IF NOT EXISTS facts_words USING fts5 (
  text, rationale, source, content = 'facts', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2');
CREATE TRIGGER IF NOT EXISTS facts_added AFTER INSERT ON facts BEGIN
  INSERT INTO facts_words (rowid, text, rationale, source) VALUES (new.id, new.text, new.rationale, new.source);
END;
CREATE TRIGGER IF NOT EXISTS facts_forgotten AFTER DELETE ON facts BEGIN
  INSERT INTO facts_words (facts_words, rowid, text, rationale, source)
  VALUES ('delete', old.id, old.text, old.rationale, old.source);
END;
)";

constexpr std::string_view kColumns = "f.id, f.kind, f.text, f.source, f.rationale, f.author, f.at_ms";

bool is_kind(const std::string& kind) { return kind == "fact" || kind == "decision"; }

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/// Words that are in every question and say nothing about it.
bool is_filler(std::string_view word) {
  constexpr std::array<std::string_view, 36> kFillers{
      "the", "and", "for", "are",  "was", "were", "with",   "that",  "this",  "from",  "what", "which",
      "who", "how", "why", "when", "you", "your", "have",   "has",   "had",   "does",  "did",  "can",
      "not", "but", "our", "its",  "is",  "of",   "should", "would", "about", "there", "a",    "an"};
  return std::ranges::find(kFillers, word) != kFillers.end();
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::set<std::string> known;
  for (std::size_t at = 0; at < text.size() && words.size() < kMaxWords;) {
    const std::size_t begin = at;
    while (at < text.size() && is_word_byte(text[at])) ++at;
    if (at == begin) {
      ++at;
      continue;
    }
    std::string word = ascii_lower(text.substr(begin, at - begin));
    if (word.size() <= kMaxWordBytes && known.insert(word).second) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

std::string match_expression(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  std::string expression;
  for (const bool takes_fillers : {false, true}) {
    for (const std::string& word : words) {
      if (takes_fillers || !is_filler(word)) expression += (expression.empty() ? "\"" : " OR \"") + word + "\"";
    }
    if (!expression.empty()) break;
  }
  return expression;
}

Result<KnowledgeStore> KnowledgeStore::open(const std::string& file, KnowledgeLimits limits) {
  Result<Database> database = Database::open(file, DatabaseMode::create);
  if (!database) return fail(std::move(database).error());
  const Result<> made = database->execute(kSchema);
  if (!made) return fail(ErrorCode::bad_configuration, file + ": " + made.error().message);
  return KnowledgeStore(std::move(*database), limits);
}

Result<std::int64_t> KnowledgeStore::count(const std::string& sql, const std::string& scope) {
  Result<Statement> statement = database_.prepare(sql);
  if (!statement) return fail(std::move(statement).error());
  if (!scope.empty()) statement->bind(1, scope);
  const Result<bool> row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

Result<> KnowledgeStore::make_room(const std::string& scope) {
  const Result<std::int64_t> here = count("SELECT count(*) FROM facts WHERE scope = ?1", scope);
  if (!here) return fail(here.error());
  // The highest id is an upper bound of how many there are, and costs nothing; only past it is counting worth it.
  Result<std::int64_t> all = count("SELECT coalesce(max(id), 0) FROM facts", {});
  if (all && *all >= static_cast<std::int64_t>(limits_.max_total)) all = count("SELECT count(*) FROM facts", {});
  if (!all) return fail(all.error());
  const bool is_full = *here >= static_cast<std::int64_t>(limits_.max_facts);
  const bool is_all_full = *all >= static_cast<std::int64_t>(limits_.max_total);
  if (!is_full && !is_all_full) return {};
  if (limits_.forgets_oldest) {
    Result<Statement> oldest = database_.prepare(
        "DELETE FROM facts WHERE id = (SELECT id FROM facts WHERE scope = ?1 AND kind = 'fact' ORDER BY id LIMIT 1) "
        "RETURNING id");
    if (!oldest) return fail(std::move(oldest).error());
    const Result<bool> gone = oldest->bind(1, scope).step();
    if (!gone) return fail(gone.error());
    if (*gone) return {};
  }
  const std::string limit = is_full ? "the scope '" + scope + "' holds " + std::to_string(limits_.max_facts)
                                    : "the knowledge base holds " + std::to_string(limits_.max_total);
  return fail(Error(ErrorCode::overloaded, limit + " facts, its limit; forget some", false));
}

Result<Remembered> KnowledgeStore::remember(const std::string& scope, const Remember& fact, WallTime now) {
  const std::string kind = fact.kind.empty() ? "fact" : fact.kind;
  if (fact.text.empty()) return fail(ErrorCode::invalid, "a fact needs a text");
  if (!is_kind(kind)) return fail(ErrorCode::invalid, "the kind '" + kind + "' is neither fact nor decision");
  if (fact.text.size() + fact.source.size() + fact.rationale.size() > limits_.max_fact_bytes) {
    return fail(ErrorCode::too_large, "a fact has at most " + std::to_string(limits_.max_fact_bytes) + " bytes");
  }
  Result<Statement> same = database_.prepare("SELECT id FROM facts WHERE scope = ?1 AND kind = ?2 AND text = ?3");
  if (!same) return fail(std::move(same).error());
  const Result<bool> is_known = same->bind(1, scope).bind(2, kind).bind(3, fact.text).step();
  if (!is_known) return fail(is_known.error());
  if (*is_known) return Remembered{static_cast<std::uint64_t>(same->integer(0)), false};
  const Result<> room = make_room(scope);
  if (!room) return fail(room.error());
  Result<Statement> added = database_.prepare(
      "INSERT INTO facts (scope, kind, text, source, rationale, author, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "RETURNING id");
  if (!added) return fail(std::move(added).error());
  added->bind(1, scope).bind(2, kind).bind(3, fact.text).bind(4, fact.source).bind(5, fact.rationale);
  added->bind(6, fact.author).bind(7, static_cast<std::int64_t>(now.time_since_epoch().count()));
  const Result<bool> row = added->step();
  if (!row) return fail(row.error());
  const Remembered remembered{static_cast<std::uint64_t>(added->integer(0)), true};
  const Result<bool> end = added->step();
  if (!end) return fail(end.error());
  return remembered;
}

Result<Facts> KnowledgeStore::read_facts(Statement statement, const std::string& scope) {
  Facts facts;
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    Fact fact;
    fact.id = static_cast<std::uint64_t>(statement.integer(0));
    fact.kind = statement.text(1);
    fact.text = statement.text(2);
    fact.source = statement.text(3);
    fact.rationale = statement.text(4);
    fact.author = statement.text(5);
    fact.at_ms = static_cast<std::uint64_t>(statement.integer(6));
    fact.score = statement.number(7);
    facts.facts.push_back(std::move(fact));
  }
  const Result<std::int64_t> total = count("SELECT count(*) FROM facts WHERE scope = ?1", scope);
  if (!total) return fail(total.error());
  facts.total = static_cast<std::uint64_t>(*total);
  return facts;
}

Result<Facts> KnowledgeStore::recall(const std::string& scope, const Recall& question) {
  if (!question.kind.empty() && !is_kind(question.kind)) {
    return fail(ErrorCode::invalid, "the kind '" + question.kind + "' is neither fact nor decision");
  }
  const std::string expression = match_expression(question.query);
  if (expression.empty()) return Facts{};
  // bm25 is better the smaller it is.
  Result<Statement> found = database_.prepare(
      "SELECT " + std::string(kColumns) +
      ", -bm25(facts_words, 1.0, 0.5, 0.5) AS score FROM facts_words JOIN facts AS f ON f.id = facts_words.rowid "
      "WHERE facts_words MATCH ?1 AND f.scope = ?2 AND (?3 = '' OR f.kind = ?3) ORDER BY score DESC, f.id DESC LIMIT "
      "?4");
  if (!found) return fail(std::move(found).error());
  found->bind(1, expression).bind(2, scope).bind(3, question.kind);
  found->bind(4, std::int64_t{std::clamp(question.limit, 1U, kMaxPage)});
  return read_facts(std::move(*found), scope);
}

Result<Facts> KnowledgeStore::list(const std::string& scope, const KnowledgeList& page) {
  Result<Statement> found = database_.prepare("SELECT " + std::string(kColumns) +
                                              ", 0.0 FROM facts AS f WHERE f.scope = ?1 AND (?2 = 0 OR f.id < ?2) "
                                              "ORDER BY f.id DESC LIMIT ?3");
  if (!found) return fail(std::move(found).error());
  found->bind(1, scope).bind(2, static_cast<std::int64_t>(page.before));
  found->bind(3, std::int64_t{std::clamp(page.limit, 1U, kMaxPage)});
  return read_facts(std::move(*found), scope);
}

Result<> KnowledgeStore::forget(const std::string& scope, std::uint64_t id) {
  Result<Statement> gone = database_.prepare("DELETE FROM facts WHERE scope = ?1 AND id = ?2 RETURNING id");
  if (!gone) return fail(std::move(gone).error());
  const Result<bool> row = gone->bind(1, scope).bind(2, static_cast<std::int64_t>(id)).step();
  if (!row) return fail(row.error());
  if (!*row) return fail(ErrorCode::invalid, "the scope '" + scope + "' has no fact " + std::to_string(id));
  const Result<bool> end = gone->step();
  if (!end) return fail(end.error());
  return {};
}

}  // namespace parley::tools
