#include "services/cli/trace_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::ElementsAre;
using wire::TraceHop;

struct Hop {
  std::uint64_t at_us;
  std::string kind;
  std::string source;
  std::string target;
  std::string peer;
  std::uint64_t message_id;
  std::uint64_t delivery_id;
};

wire::TraceReport report_of(const std::vector<Hop>& hops) {
  wire::TraceReport report;
  for (const Hop& hop : hops) {
    report.hops.push_back({.at_us = hop.at_us,
                           .kind = hop.kind,
                           .source = hop.source,
                           .target = hop.target,
                           .payload_type = "parley.Text",
                           .peer = hop.peer,
                           .message_id = hop.message_id,
                           .delivery_id = hop.delivery_id,
                           .payload_bytes = 10,
                           .code = hop.kind == "error" ? "timeout" : ""});
  }
  return report;
}

/// A client asks hr/alice and gets a reply: four hops.
const std::vector<Hop> kRequest{{1000, "request", "", "hr/alice", "cli", 5, 0},
                                {1040, "request", "", "hr/alice", "worker", 5, 77},
                                {3000, "reply", "", "", "worker", 0, 77},
                                {3010, "reply", "", "", "cli", 5, 77}};

TEST(Legs, two_hops_of_a_message_are_one_leg) {
  const auto legs = legs_of(report_of(kRequest));
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].from, "cli");
  EXPECT_EQ(legs[0].to, "hr/alice");
  EXPECT_EQ(legs[0].broker_us, 40U);
  EXPECT_TRUE(legs[0].is_delivered);
}

TEST(Legs, a_reply_goes_from_the_agent_to_whoever_asked) {
  const auto legs = legs_of(report_of(kRequest));
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[1].from, "hr/alice");
  EXPECT_EQ(legs[1].to, "cli");
  EXPECT_EQ(legs[1].at_us, 2000U);
}

TEST(Legs, a_message_that_went_nowhere_is_not_delivered) {
  const auto legs = legs_of(report_of({{0, "send", "", "hr/x", "cli", 1, 0}}));
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_FALSE(legs[0].is_delivered);
}

TEST(Legs, an_event_has_a_leg_for_each_recipient) {
  const auto legs = legs_of(report_of({{0, "event", "a/1", "news/eu", "w1", 1, 0},
                                       {5, "event", "a/1", "news/eu", "w2", 1, 8},
                                       {6, "event", "a/1", "news/eu", "w3", 1, 9}}));
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].to, "w2");
  EXPECT_EQ(legs[1].to, "w3");
  EXPECT_EQ(legs[1].topic, "news/eu");
}

TEST(Legs, equal_message_ids_of_two_senders_are_kept_apart) {
  const auto legs = legs_of(report_of({{0, "request", "a/1", "x/1", "w1", 1, 0},
                                       {1, "request", "b/1", "x/1", "w2", 1, 0},
                                       {2, "request", "b/1", "x/1", "w3", 1, 8},
                                       {9, "request", "a/1", "x/1", "w3", 1, 9}}));
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].broker_us, 9U);
  EXPECT_EQ(legs[1].broker_us, 1U);
}

TEST(Legs, a_summary_shows_the_parts_of_a_stream_once) {
  auto hops = kRequest;
  hops.insert(hops.begin() + 2, {{2000, "part", "", "", "worker", 0, 77},
                                 {2001, "part", "", "", "cli", 5, 77},
                                 {2100, "part", "", "", "worker", 0, 77},
                                 {2101, "part", "", "", "cli", 5, 77}});
  const auto legs = legs_of(report_of(hops));
  EXPECT_EQ(legs.size(), 4U);
  const auto summary = summarised(legs);
  ASSERT_EQ(summary.size(), 3U);
  EXPECT_EQ(summary[1].kind, "part");
  EXPECT_EQ(summary[1].count, 2U);
  EXPECT_EQ(summary[1].payload_bytes, 20U);
}

TEST(Legs, a_summary_keeps_requests_apart) {
  auto hops = kRequest;
  hops.insert(hops.end(),
              {{4000, "request", "", "hr/alice", "cli", 6, 0}, {4001, "request", "", "hr/alice", "worker", 6, 78}});
  EXPECT_EQ(summarised(legs_of(report_of(hops))).size(), 3U);
}

TEST(Legs, an_answer_to_a_forgotten_message_is_shown_all_the_same) {
  const auto legs = legs_of(report_of({{0, "reply", "", "", "worker", 0, 77}}));
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].from, "worker");
}

TEST(Legs, an_answer_tells_how_long_the_worker_had_the_message) {
  const auto legs = legs_of(report_of(kRequest));
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[1].handled_us, 1960U);
}

TEST(RenderLegs, shows_each_leg_with_its_times_and_the_sum_below) {
  EXPECT_THAT(
      render_legs(legs_of(report_of(kRequest)), 80),
      ElementsAre("  TIME    DELTA  FROM         TO        WHAT     HANDLED  BROKER",
                  "  0 µs    +0 µs  cli       →  hr/alice  request            40 µs",
                  "2.0 ms  +2.0 ms  hr/alice  →  cli       reply     2.0 ms   10 µs", "", "2 messages in 2.0 ms"));
}

TEST(RenderLegs, names_what_failed_in_full) {
  auto hops = kRequest;
  hops[2].kind = hops[3].kind = "error";
  EXPECT_EQ(render_legs(legs_of(report_of(hops)), 40).back(), "hr/alice failed after 2.0 ms: timeout");
}

TEST(HopsJson, has_the_time_since_the_start_since_the_hop_before_and_at_the_worker) {
  const auto objects = hops_json(report_of(kRequest));
  ASSERT_EQ(objects.size(), 4U);
  EXPECT_EQ(objects[2]["since_start_us"], 2000);
  EXPECT_EQ(objects[2]["delta_us"], 1960);
  EXPECT_EQ(objects[2]["handled_us"], 1960);
  EXPECT_FALSE(objects[3].contains("handled_us"));
}

TEST(Legs, nothing_recorded_gives_nothing) { EXPECT_TRUE(legs_of({}).empty()); }

TEST(SequenceDiagram, draws_each_leg_between_named_participants) {
  EXPECT_THAT(sequence_diagram(legs_of(report_of(kRequest))),
              ElementsAre("sequenceDiagram", "    participant p1 as cli", "    participant p2 as hr/alice",
                          "    p1->>p2: request (+0 µs)", "    p2-->>p1: reply (+2.0 ms, handled in 2.0 ms)"));
}

TEST(SequenceDiagram, an_error_ends_in_a_cross) {
  auto hops = kRequest;
  hops[2].kind = hops[3].kind = "error";
  EXPECT_EQ(sequence_diagram(legs_of(report_of(hops))).back(),
            "    p2--xp1: error timeout (+2.0 ms, handled in 2.0 ms)");
}

TEST(SequenceDiagram, a_name_cannot_end_the_statement) {
  const auto lines = sequence_diagram(legs_of(report_of({{0, "send", "", "x/a;b", "c#d", 1, 0}})));
  for (const auto& line : lines) EXPECT_EQ(line.find_first_of(";#"), std::string::npos) << line;
}

TEST(FormatMicros, picks_the_unit) {
  EXPECT_EQ(format_micros(999), "999 µs");
  EXPECT_EQ(format_micros(12'500), "12.5 ms");
  EXPECT_EQ(format_micros(3'200'000), "3.2 s");
}

}  // namespace
}  // namespace parley::cli
