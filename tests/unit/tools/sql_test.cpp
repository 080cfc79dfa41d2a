// SQL that a model wrote, and the knowledge base's store.
#include <filesystem>
#include <fstream>

#include "agents/host/agents_config.hpp"
#include "agents/tools/knowledge_store.hpp"
#include "agents/tools/sql_query.hpp"
#include "agents/tools/sql_tool.hpp"
#include "libmsg/core/random.hpp"
#include "services/config/yaml.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/tools/tools_fixture.hpp"

namespace parley::tools {
namespace {

using testing::HasSubstr;

struct SqlQuery : testing::Test {
  void open(SqlAccess access) {
    database.emplace(Database::open(":memory:", DatabaseMode::create).value());
    ASSERT_TRUE(
        database->execute("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x|y'), (2, NULL);"
                          "CREATE VIEW v AS SELECT a FROM t; CREATE INDEX i ON t (a);"));
    schema = describe_schema(*database, 1000);
    short_schema = describe_schema(*database, 10);
    restrict_database(*database, access);
  }
  Result<SqlAnswer> run(std::string_view sql, SqlFormat format = SqlFormat::table, SqlLimits limits = {}) {
    return run_query(*database, sql, format, limits, abort);
  }
  std::optional<Database> database;
  std::string schema;
  std::string short_schema;
  AbortFlag abort{false};
};

TEST_F(SqlQuery, gives_a_table_or_an_object_a_row) {
  open(SqlAccess::read);
  EXPECT_EQ(run("SELECT * FROM t -- all of it\n;")->text, "a | b\n1 | x\\|y\n2 | NULL\n(2 rows)");
  EXPECT_EQ(run("SELECT * FROM t WHERE a = 2", SqlFormat::json_lines)->text, "{\"a\":2,\"b\":null}\n(1 row)");
}

TEST_F(SqlQuery, says_that_there_is_more_than_its_limit) {
  open(SqlAccess::read);
  const auto answer = run("SELECT a FROM t", SqlFormat::table, {.max_rows = 1});
  EXPECT_EQ(answer->text, "a\n1\n(the first 1 rows; there are more)");
  EXPECT_TRUE(answer->is_truncated);
}

TEST_F(SqlQuery, reads_only_when_it_may_only_read) {
  open(SqlAccess::read);
  for (const char* forbidden : {"INSERT INTO t VALUES (3, 'z')",
                                "UPDATE t SET a = 0",
                                "DELETE FROM t",
                                "DROP TABLE t",
                                "CREATE TABLE u (x)",
                                "ATTACH '/tmp/x.db' AS x",
                                "PRAGMA writable_schema = 1",
                                "PRAGMA journal_mode",
                                "VACUUM",
                                "VACUUM INTO '/tmp/x.db'",
                                "BEGIN",
                                "SELECT load_extension('x')",
                                "SELECT readfile('/etc/passwd')",
                                "CREATE TEMP TABLE u (x)",
                                "WITH x AS (SELECT 1) DELETE FROM t",
                                "ANALYZE",
                                "REINDEX",
                                "EXPLAIN DELETE FROM t",
                                "CREATE VIRTUAL TABLE f USING fts5(x)",
                                "SELECT zeroblob(1000000000)"}) {
    const auto answer = run(forbidden);
    EXPECT_FALSE(answer) << forbidden;
  }
  EXPECT_EQ(run("SELECT count(*) AS n FROM t")->text, "n\n2\n(1 row)");
  EXPECT_TRUE(run("PRAGMA table_info(t)"));
  EXPECT_TRUE(run("SELECT * FROM v"));
}

TEST_F(SqlQuery, changes_rows_but_no_tables_when_it_may_change_rows) {
  open(SqlAccess::rows);
  EXPECT_EQ(run("UPDATE t SET b = 'q'")->text, "2 rows changed");
  EXPECT_EQ(run("DELETE FROM t WHERE a = 1")->text, "1 rows changed");
  EXPECT_FALSE(run("DROP TABLE t"));
  EXPECT_FALSE(run("DELETE FROM sqlite_schema"));
  EXPECT_FALSE(run("ATTACH 'x' AS x"));
}

TEST_F(SqlQuery, builds_tables_when_it_may) {
  open(SqlAccess::schema);
  EXPECT_TRUE(run("CREATE TABLE u (x)"));
  EXPECT_TRUE(run("DROP TABLE u"));
  EXPECT_FALSE(run("ATTACH 'x' AS x"));
  EXPECT_FALSE(run("PRAGMA writable_schema = 1"));
}

TEST_F(SqlQuery, takes_one_statement_and_no_more) {
  open(SqlAccess::rows);
  EXPECT_EQ(run("SELECT 1; DELETE FROM t").error().message, "expected one SQL statement, not several");
  EXPECT_EQ(run(" -- nothing\n ").error().message, "there is no SQL statement");
  EXPECT_THAT(run("SELEC 1").error().message, HasSubstr("syntax error"));
}

TEST_F(SqlQuery, ends_when_it_is_aborted) {
  open(SqlAccess::read);
  abort = true;
  const auto answer = run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
}

TEST_F(SqlQuery, describes_tables_and_views) {
  open(SqlAccess::read);
  EXPECT_EQ(schema, "t(a INTEGER, b TEXT)\nv(a INTEGER) -- a view\n");
  EXPECT_THAT(short_schema, HasSubstr("and more tables"));
}

struct SqlToolTest : ToolsFixture {
  SqlToolTest() {
    options.name = "books";
    options.database = folder / "books.db";
  }
  void seed(const std::string& script) {
    options.init = folder / "seed.sql";
    std::ofstream(options.init) << script;
  }
  test::TemporaryFolder folder;
  SqlToolOptions options;
};

TEST_F(SqlToolTest, makes_its_database_once_and_asks_it_on_a_thread) {
  seed("CREATE TABLE t (a); INSERT INTO t VALUES (7);");
  const auto tool = SqlTool::make(options, io);
  ASSERT_TRUE(tool) << tool.error().message;
  EXPECT_THAT((*tool)->spec().description, HasSubstr("t(a )"));
  use(ToolBox({{*tool, {}}}));
  const ToolCall call{"c", "books", R"({"query":"SELECT a FROM t"})"};
  const auto result = test::run_task(io, runtime.client().request<ToolResult>(*AgentId::parse("user/1"), call));
  EXPECT_EQ(result->content, "a\n7\n(1 row)");
  seed("nonsense");
  EXPECT_TRUE(SqlTool::make(options, io)) << "it is there already";
}

TEST_F(SqlToolTest, gives_as_many_bytes_as_its_policy_lets_through_and_a_json_object_a_row) {
  seed(
      "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
      "INSERT INTO t SELECT printf('%0600d', i) FROM n;");
  const std::string yaml =
      "models: {m: {provider: offline}}\ntools: {books: {type: sql, database: " + options.database +
      ", init: " + options.init +
      ", format: json_lines, max_result_bytes: 200000}}\n"
      "agents: [{type: hands, kind: tool_host, tools: [books]}]\n";
  const auto config = host::read_agents(*config::parse_yaml(yaml, "/nowhere/desk.yaml"));
  ASSERT_TRUE(config) << config.error().str();
  SeededRandom random{1};
  host::ToolServices services{io, clock, random, nullptr};
  const host::ToolConfig& books = config->tools.at("books");
  const Result<host::MadeTool> made = books.make(services);
  ASSERT_TRUE(made) << made.error().message;
  use(ToolBox({{std::get<std::shared_ptr<Tool>>(*made), books.policy}}));
  const ToolCall call{"c", "books", R"({"query":"SELECT a FROM t"})"};
  const auto result = test::run_task(io, runtime.client().request<ToolResult>(*AgentId::parse("user/1"), call));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->is_truncated);
  EXPECT_TRUE(result->content.starts_with("{\"a\":\"000"));
  EXPECT_THAT(result->content, HasSubstr("(200 rows)"));
}

TEST_F(SqlToolTest, tells_what_is_wrong_with_its_files) {
  EXPECT_THAT(SqlTool::make(options, io).error().message, HasSubstr("cannot open the database"));
  seed("CREATE TABEL t (a);");
  EXPECT_THAT(SqlTool::make(options, io).error().message, HasSubstr("syntax error"));
  EXPECT_FALSE(std::filesystem::exists(options.database));
  std::ofstream(options.database)
      << "this is no database, although it is long enough to be taken for one at first sight";
  EXPECT_THAT(SqlTool::make(options, io).error().message, HasSubstr("not a database"));
}

struct Knowledge : testing::Test {
  explicit Knowledge(KnowledgeLimits limits = {}) : store(KnowledgeStore::open(":memory:", limits).value()) {}
  Result<messages::Remembered> add(const std::string& text, const std::string& kind = "fact",
                                   const std::string& scope = "s") {
    messages::Remember fact;
    fact.text = text;
    fact.kind = kind;
    return store.remember(scope, fact, WallTime(std::chrono::milliseconds(42)));
  }
  std::vector<std::string> recall(const std::string& query, const std::string& scope = "s",
                                  const std::string& kind = "") {
    std::vector<std::string> texts;
    const auto facts = store.recall(scope, {query, kind, 5});
    if (facts) {
      for (const messages::Fact& fact : facts->facts) texts.push_back(fact.text);
    }
    return texts;
  }
  KnowledgeStore store;
};
struct SmallKnowledge : Knowledge {
  SmallKnowledge() : Knowledge({.max_facts = 2, .max_fact_bytes = 100}) {}
};

TEST_F(Knowledge, is_found_by_the_words_of_a_question_the_most_relevant_first) {
  static_cast<void>(add("The deploy window is Tuesday at 10."));
  static_cast<void>(add("PostgreSQL is our database.", "decision"));
  static_cast<void>(add("The database backup of PostgreSQL runs at night."));
  EXPECT_THAT(recall("When is the deployment window?"), testing::ElementsAre("The deploy window is Tuesday at 10."));
  EXPECT_EQ(recall("Which database?").size(), 2U);
  EXPECT_THAT(recall("database", "s", "decision"), testing::ElementsAre("PostgreSQL is our database."));
  EXPECT_TRUE(recall("weather").empty());
  EXPECT_TRUE(recall("!? -- \"'").empty());
}

TEST_F(Knowledge, of_one_scope_stays_there) {
  static_cast<void>(add("alpha", "fact", "a"));
  EXPECT_TRUE(recall("alpha", "b").empty());
  EXPECT_EQ(recall("alpha", "a").size(), 1U);
  EXPECT_EQ(store.forget("b", 1).error().code, ErrorCode::invalid);
}

TEST_F(Knowledge, is_kept_once_listed_by_age_and_forgotten) {
  EXPECT_TRUE(add("one")->is_new);
  EXPECT_FALSE(add("one")->is_new);
  static_cast<void>(add("two"));
  const auto all = store.list("s", {});
  ASSERT_EQ(all->facts.size(), 2U);
  EXPECT_EQ(all->facts[0].text, "two");
  EXPECT_EQ(all->facts[0].at_ms, 42U);
  EXPECT_EQ(store.list("s", {.before = all->facts[0].id, .limit = 5})->facts.size(), 1U);
  EXPECT_TRUE(store.forget("s", all->facts[1].id));
  EXPECT_TRUE(recall("one").empty()) << "its words are gone, too";
}

TEST_F(Knowledge, refuses_what_is_none) {
  EXPECT_EQ(add("").error().code, ErrorCode::invalid);
  EXPECT_EQ(add("x", "rumour").error().code, ErrorCode::invalid);
}

TEST_F(SmallKnowledge, is_bounded) {
  EXPECT_EQ(add(std::string(101, 'x')).error().code, ErrorCode::too_large);
  static_cast<void>(add("one"));
  static_cast<void>(add("two"));
  EXPECT_EQ(add("three").error().code, ErrorCode::overloaded);
  EXPECT_TRUE(add("three", "fact", "other")) << "another scope has room";
}

TEST(KnowledgeThatForgets, gives_up_its_oldest_fact_and_no_decision) {
  auto store = KnowledgeStore::open(":memory:", {.max_facts = 2, .forgets_oldest = true}).value();
  const WallTime now{};
  messages::Remember fact;
  for (const char* text : {"d1", "f1", "f2"}) {
    fact.text = text;
    fact.kind = text[0] == 'd' ? "decision" : "fact";
    EXPECT_TRUE(store.remember("s", fact, now)) << text;
  }
  const auto left = store.list("s", {});
  ASSERT_EQ(left->facts.size(), 2U);
  EXPECT_EQ(left->facts[0].text, "f2");
  EXPECT_EQ(left->facts[1].text, "d1");
}

}  // namespace
}  // namespace parley::tools
