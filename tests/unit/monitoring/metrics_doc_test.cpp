// METRICS.md, the catalogue in the code and what the processes export must agree.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <prometheus/metric_family.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/control.hpp"
#include "monitoring/catalogue.hpp"
#include "monitoring/health_metrics.hpp"
#include "monitoring/number_board.hpp"
#include "monitoring/process_metrics.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::monitoring {
namespace {

/// Name, type, labels and meaning of one metric, wherever it is written down.
struct Row {
  std::string type;
  std::string labels;
  std::string meaning;
  friend bool operator==(const Row&, const Row&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.type << " {" << row.labels << "} " << row.meaning;
  }
};
using Rows = std::map<std::string, Row>;

std::string without(std::string text, char unwanted) {
  std::erase(text, unwanted);
  return text;
}

Rows rows_of_the_document() {
  std::ifstream in(PARLEY_SOURCE_DIR "/monitoring/METRICS.md");
  Rows rows;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream text(line.substr(2));
    for (std::string cell; std::getline(text, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
    }
    rows[without(cells.at(0), '`')] = {cells.at(1), cells.at(3) == "–" ? "" : without(cells.at(3), '`'), cells.at(4)};
  }
  return rows;
}

Rows rows_of_the_catalogue() {
  Rows rows;
  for (const MetricInfo& info : metric_catalogue()) {
    rows[std::string(info.name)] = {std::string(info.type), std::string(info.labels), std::string(info.help)};
  }
  return rows;
}

std::string type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "other";
  }
}

void add_exported(const prometheus::Collectable& source, Rows& rows) {
  for (const prometheus::MetricFamily& family : source.Collect()) {
    std::set<std::string> names;
    for (const auto& label : family.metric.at(0).label) names.insert(label.name);
    std::string labels;
    for (const std::string& name : names) labels += (labels.empty() ? "" : ", ") + name;
    rows[family.name] = {type_name(family.type), labels, family.help};
  }
}

/// A worker says HELLO, so that the metrics by agent type have a series.
void join(broker::Core& core, TimePoint now) {
  wire::Hello hello;
  hello.name = "worker";
  hello.incarnation = 1;
  hello.is_worker = true;
  hello.types = {{.name = "hr"}};
  const ByteBuffer body = wire::encode_body(hello);
  ByteBuffer frame;
  wire::begin_bundle(frame, SessionToken());
  ASSERT_TRUE(wire::append_envelope(frame, {.kind = wire::Kind::hello, .payload = body.bytes()}));
  core.on_frame(1, frame.bytes(), now);
}

/// What a broker and a worker export once each of their metrics has a series.
Rows rows_of_the_programs() {
  Rows rows;
  SeededRandom random(1);
  const ManualClock clock;
  broker::Core core({}, random, clock.now(), clock.wall_now());
  join(core, clock.now());
  NumberBoard board;
  board.post(core.labelled_numbers());
  add_exported(board, rows);

  WorkerMetrics worker;
  worker.add_agent_type("hr");
  worker.add_model("hr", {"openai", "gpt-4o-mini"});
  worker.model_guards("main");
  worker.add_tool("hr", "web");
  worker.mcp_server("files");
  worker.conversations().add("hr");
  add_exported(worker.source(), rows);
  add_exported(HealthMetrics([] { return std::vector<AgentHealth>{{.agent_type = "hr"}}; }), rows);
  add_exported(ProcessMetrics("parley-test"), rows);
  return rows;
}

TEST(MetricsDocument, says_what_the_catalogue_says) { EXPECT_EQ(rows_of_the_document(), rows_of_the_catalogue()); }

/// tests/observe looks at whole processes; here is what can be had without starting one.
bool is_made_by_a_shell(std::string_view name, const Row& row) {
  const bool is_ledgers = name.starts_with("parley_ledger_") || row.labels == "budget";
  return name.starts_with("parley_broker_transport_") || name.starts_with("parley_supervisor_") || is_ledgers;
}

TEST(MetricsDocument, names_everything_that_the_programs_export_and_nothing_else) {
  Rows expected = rows_of_the_catalogue();
  std::erase_if(expected, [](const auto& row) { return is_made_by_a_shell(row.first, row.second); });
  EXPECT_EQ(rows_of_the_programs(), expected);
}

TEST(MetricsDocument, gives_counters_and_only_counters_a_name_in_total) {
  for (const MetricInfo& info : metric_catalogue()) {
    EXPECT_EQ(info.name.ends_with("_total"), info.type == "counter") << info.name;
  }
}

}  // namespace
}  // namespace parley::monitoring
