// The exporter against a stub collector, on one loop.
#include "agents/telemetry/otlp_exporter.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <gmock/gmock.h>

#include "tests/support/run_task.hpp"
#include "tests/support/stub_collector.hpp"

namespace parley::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

class OtlpExporterTest : public ::testing::Test {
 protected:
  OtlpExporterTest() {
    options_.url = collector_.base() + "/v1/traces";
    options_.resource = {{"service.name", "hr"}};
    options_.limits = {.max_spans = 20, .max_batch = 5, .delay = 1ms, .retry = {1ms, 2ms}};
  }
  ~OtlpExporterTest() override { EXPECT_THAT(collector_.problems(), IsEmpty()); }

  void start() {
    exporter_ = OtlpExporter::make(io_, clock_, random_, http::CurlMulti::make(io_), options_);
    exporter_->start();
  }
  void record(std::string name) {
    Span span;
    span.context = exporter_->begin_trace();
    span.name = std::move(name);
    span.started = clock_.now();
    span.ended = span.started + 1500us;
    span.attributes = {{"text", std::string("\xFF!")},
                       {"number", std::int64_t{-7}},
                       {"share", 0.5},
                       {"reasons", std::vector<std::string>{"stop"}}};
    exporter_->record(std::move(span));
  }
  void run_until_settled(std::uint64_t count) {
    test::run_until(io_, [&] { return exporter_->counts().exported + exporter_->counts().refused >= count; });
  }
  void stop(std::chrono::milliseconds limit) {
    asio::co_spawn(io_, exporter_->stop(limit), asio::detached);
    test::run_until(io_, [&] { return exporter_->counts().waiting == 0; });
  }

  asio::io_context io_;
  SystemClock clock_;
  SeededRandom random_{1};
  test::StubCollector collector_{io_};
  OtlpOptions options_;
  std::shared_ptr<OtlpExporter> exporter_;
};

TEST_F(OtlpExporterTest, sends_spans_as_the_specification_wants_them) {
  options_.headers = {"authorization: Bearer t"};
  start();
  record("process hr");
  run_until_settled(1);
  ASSERT_EQ(collector_.spans().size(), 1U);
  const nlohmann::json& span = collector_.spans().front();
  EXPECT_EQ(span["name"], "process hr");
  EXPECT_EQ(
      std::stoll(span["endTimeUnixNano"].get<std::string>()) - std::stoll(span["startTimeUnixNano"].get<std::string>()),
      1'500'000);
  EXPECT_EQ(test::attribute_of(span, "text"), "\xEF\xBF\xBD!");
  EXPECT_EQ(test::attribute_of(span, "number"), "-7");
  EXPECT_EQ(test::attribute_of(span, "share"), 0.5);
  EXPECT_FALSE(span.contains("parentSpanId"));
  EXPECT_FALSE(span.contains("status"));
  EXPECT_EQ(test::attribute_of(collector_.resource(), "service.name"), "hr");
  EXPECT_EQ(collector_.requests().front().header("authorization"), "Bearer t");
}

TEST_F(OtlpExporterTest, dates_spans_by_the_wall_clock) {
  start();
  const auto before = clock_.wall_now().time_since_epoch();
  record("now");
  run_until_settled(1);
  const std::chrono::nanoseconds sent(std::stoll(collector_.spans().front()["startTimeUnixNano"].get<std::string>()));
  EXPECT_LT(std::chrono::abs(sent - before), 1min);
}

TEST_F(OtlpExporterTest, marks_what_failed_with_its_error) {
  start();
  Span span;
  span.context = exporter_->begin_trace();
  span.parent = 17;
  span.name = "request hr";
  span.error = Error(ErrorCode::timeout, "no answer");
  exporter_->record(std::move(span));
  run_until_settled(1);
  const nlohmann::json& sent = collector_.spans().front();
  EXPECT_EQ(sent["status"]["code"], 2);
  EXPECT_EQ(sent["status"]["message"], "no answer");
  EXPECT_EQ(test::attribute_of(sent, "error.type"), "timeout");
  EXPECT_EQ(sent["parentSpanId"], "0000000000000011");
}

TEST_F(OtlpExporterTest, leaves_the_kind_of_a_failure_to_who_recorded_it) {
  start();
  Span span;
  span.context = exporter_->begin_trace();
  span.name = "execute_tool web";
  span.attributes = {{"error.type", std::string("refused")}};
  span.error = Error(ErrorCode::unauthorized, "refused");
  exporter_->record(std::move(span));
  run_until_settled(1);
  EXPECT_EQ(test::attribute_of(collector_.spans().front(), "error.type"), "refused");
  EXPECT_EQ(collector_.spans().front()["attributes"].size(), 1U);
}

TEST_F(OtlpExporterTest, sends_many_in_batches) {
  start();
  for (int i = 0; i < 12; ++i) record("span " + std::to_string(i));
  run_until_settled(12);
  EXPECT_EQ(collector_.spans().size(), 12U);
  EXPECT_LE(collector_.requests().size(), 4U);
  EXPECT_GE(collector_.requests().size(), 3U);
}

TEST_F(OtlpExporterTest, repeats_what_a_busy_collector_could_not_take) {
  collector_.answer_next(503, "busy", {{"Retry-After", "0"}});
  start();
  record("again");
  run_until_settled(1);
  EXPECT_EQ(collector_.requests().size(), 2U);
  EXPECT_EQ(exporter_->counts().exported, 1U);
  EXPECT_EQ(exporter_->counts().dropped, 0U);
}

TEST_F(OtlpExporterTest, does_not_repeat_what_the_collector_refuses) {
  collector_.answer_next(400, "malformed");
  collector_.answer_next(200, R"({"partialSuccess":{"rejectedSpans":"1"}})");
  start();
  record("refused");
  run_until_settled(1);
  record("refused, too");
  run_until_settled(2);
  EXPECT_EQ(collector_.requests().size(), 2U);
  EXPECT_EQ(exporter_->counts().refused, 2U);
}

TEST_F(OtlpExporterTest, drops_and_counts_when_the_collector_is_away) {
  options_.url = "http://127.0.0.1:1/v1/traces";
  start();
  for (int i = 0; i < 50; ++i) record("lost");
  EXPECT_EQ(exporter_->counts().dropped, 30U);
  EXPECT_EQ(exporter_->counts().waiting, 20U);
  stop(1s);
  EXPECT_EQ(exporter_->counts().dropped, 50U);
  EXPECT_EQ(exporter_->counts().exported, 0U);
  EXPECT_THAT(collector_.requests(), IsEmpty());
}

TEST_F(OtlpExporterTest, sends_what_is_left_when_it_stops) {
  options_.limits.delay = 1h;
  start();
  record("last");
  stop(30s);
  EXPECT_EQ(exporter_->counts().exported, 1U);
  record("too late");
  EXPECT_EQ(exporter_->counts().dropped, 1U);
}

TEST_F(OtlpExporterTest, does_not_wait_long_for_a_collector_that_hangs_when_it_stops) {
  collector_.stall_next();
  start();
  record("never answered");
  test::run_until(io_, [&] { return !collector_.requests().empty(); });
  stop(1ms);
  EXPECT_EQ(exporter_->counts().dropped, 1U);
}

TEST_F(OtlpExporterTest, samples_about_the_share_of_traces_that_it_is_told) {
  options_.sample_ratio = 0.25;
  start();
  int sampled = 0;
  for (int i = 0; i < 1000; ++i) sampled += exporter_->begin_trace().is_sampled ? 1 : 0;
  EXPECT_GT(sampled, 200);
  EXPECT_LT(sampled, 300);
}

}  // namespace
}  // namespace parley::telemetry
