#include "monitoring/worker_metrics.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>
#include <string>

namespace parley::monitoring {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr ModelName kMain{"openai", "gpt-4o-mini"};
constexpr std::string_view kMainLabels = R"({agent_type="hr",model="gpt-4o-mini")";

std::string text_of(WorkerMetrics& metrics) {
  metrics.publish_turns();
  return prometheus::TextSerializer().Serialize(metrics.source().Collect());
}

std::string line(std::string_view name, std::string_view labels, std::string_view rest) {
  return std::string(name) + std::string(labels) + std::string(rest);
}

TEST(WorkerMetrics, show_an_agent_type_with_zeros_before_its_first_message) {
  WorkerMetrics metrics;
  metrics.add_agent_type("hr");
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 0"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_count{agent_type=\"hr\"} 0"));
  EXPECT_THAT(text, HasSubstr("parley_agent_inflight_messages{agent_type=\"hr\"} 0"));
}

TEST(WorkerMetrics, tell_what_waits_in_mailboxes_and_how_old_it_is) {
  WorkerMetrics metrics;
  metrics.set_gauges("hr", {.waiting = 3, .oldest_waiting = 12'500ms});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_waiting_messages{agent_type=\"hr\"} 3"));
  EXPECT_THAT(text, HasSubstr("parley_agent_oldest_waiting_seconds{agent_type=\"hr\"} 12.5"));
}

TEST(WorkerMetrics, count_what_the_runtime_throws_away_by_reason) {
  WorkerMetrics metrics;
  EXPECT_THAT(text_of(metrics), HasSubstr("parley_runtime_dropped_total{reason=\"malformed\"} 0"));
  metrics.set_drops({.stale_replies = 1, .late_answers = 2, .malformed = 3, .lost_waiting = 4, .publishes = 5});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_runtime_dropped_total{reason=\"stale_reply\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_runtime_dropped_total{reason=\"late_answer\"} 2"));
  EXPECT_THAT(text, HasSubstr("parley_runtime_dropped_total{reason=\"malformed\"} 3"));
  EXPECT_THAT(text, HasSubstr("parley_runtime_dropped_total{reason=\"session_lost\"} 4"));
  EXPECT_THAT(text, HasSubstr("parley_runtime_dropped_total{reason=\"intercepted_event\"} 5"));
}

TEST(WorkerMetrics, count_turns_by_outcome) {
  WorkerMetrics metrics;
  metrics.observe_turn("hr", "ok", 2ms);
  metrics.observe_turn("hr", "ok", 20ms);
  metrics.observe_turn("hr", "timeout", 1s);
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 2"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"timeout\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"0.003\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_count{agent_type=\"hr\"} 3"));
}

TEST(WorkerMetrics, count_each_turn_once_however_often_they_are_published) {
  WorkerMetrics metrics;
  metrics.observe_turn("hr", "ok", 3ms);  // on a bound: in the bucket that ends there
  metrics.publish_turns();
  metrics.publish_turns();
  metrics.observe_turn("hr", "ok", 500s);
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 2"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"0.001\"} 0"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"0.003\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"300\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"+Inf\"} 2"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_sum{agent_type=\"hr\"} 500.003"));
}

TEST(WorkerMetrics, count_the_conversations_of_a_team_from_zero) {
  WorkerMetrics metrics;
  metrics.add_agent_type("poets");
  metrics.conversations().add("poets");
  const std::string before = text_of(metrics);
  EXPECT_THAT(before, HasSubstr("parley_conversation_running{agent_type=\"poets\"} 0"));
  EXPECT_THAT(before, HasSubstr("parley_conversation_finished_total{agent_type=\"poets\",reason=\"aborted\"} 0"));
  EXPECT_THAT(before, HasSubstr("parley_conversation_member_failures_total{agent_type=\"poets\",policy=\"skip\"} 0"));
  metrics.conversations().began("poets");
  metrics.conversations().began("poets");
  metrics.conversations().member_failed("poets", "skip");
  metrics.conversations().ended("poets", "accepted", 4);
  metrics.conversations().began("nobody");
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_conversation_running{agent_type=\"poets\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_conversation_finished_total{agent_type=\"poets\",reason=\"accepted\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_conversation_rounds_sum{agent_type=\"poets\"} 4"));
  EXPECT_THAT(text, HasSubstr("parley_conversation_member_failures_total{agent_type=\"poets\",policy=\"skip\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("nobody")));
  metrics.keep_agent_types({});
  EXPECT_THAT(text_of(metrics), Not(HasSubstr("poets")));
}

TEST(WorkerMetrics, show_what_the_worker_keeps_beside_its_limits) {
  WorkerMetrics metrics;
  metrics.set_kept({.max_activations = 100, .saved_states = 3, .max_saved_states = 10, .dropped_states = 2});
  metrics.set_kept({.max_activations = 100, .saved_states = 4, .max_saved_states = 10, .dropped_states = 5});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_worker_activations_limit 100"));
  EXPECT_THAT(text, HasSubstr("parley_worker_saved_states 4"));
  EXPECT_THAT(text, HasSubstr("parley_worker_saved_states_limit 10"));
  EXPECT_THAT(text, HasSubstr("parley_worker_dropped_states_total 5"));
  EXPECT_THAT(text, HasSubstr("parley_worker_surplus_passivations_total 0"));
}

TEST(WorkerMetrics, drop_the_series_of_an_agent_type_that_is_gone_and_keep_the_others) {
  WorkerMetrics metrics;
  metrics.observe_turn("hr", "ok", 2ms);
  metrics.observe_turn("hr", "timeout", 2ms);
  metrics.add_model("hr", kMain);
  metrics.observe_model_call({.agent_type = "hr", .model = kMain, .outcome = "overloaded"});
  metrics.observe_turn("finance", "ok", 2ms);
  metrics.keep_agent_types(std::array<std::string_view, 1>{"finance"});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, Not(HasSubstr("\"hr\"")));
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"finance\",outcome=\"ok\"} 1"));
}

TEST(WorkerMetrics, start_an_agent_type_that_comes_back_at_zero) {
  WorkerMetrics metrics;
  metrics.observe_turn("hr", "ok", 2ms);
  metrics.keep_agent_types({});
  metrics.add_agent_type("hr");
  EXPECT_THAT(text_of(metrics), HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 0"));
}

TEST(WorkerMetrics, show_a_model_with_zeros_before_its_first_call) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr(line("parley_model_requests_total", kMainLabels, ",outcome=\"ok\"} 0")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_tokens_total", kMainLabels, ",token_type=\"cached_input\"} 0")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_cost_usd_total", kMainLabels, "} 0")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_unpriced_tokens_total", kMainLabels, "} 0")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_cut_inputs_total", kMainLabels, "} 0")));
}

TEST(WorkerMetrics, show_the_guards_of_a_model_with_zeros) {
  WorkerMetrics metrics;
  const ModelGuardMetrics::Series& guards = metrics.model_guards("main");
  for (const char* name :
       {"parley_model_circuit_state", "parley_model_circuit_refusals_total", "parley_model_running_calls",
        "parley_model_waiting_calls", "parley_model_queue_refusals_total", "parley_model_fallbacks_total"}) {
    EXPECT_THAT(text_of(metrics), HasSubstr(std::string(name) + "{configured_model=\"main\"} 0\n"));
  }
  guards.cache_hits->Increment();
  EXPECT_THAT(text_of(metrics),
              HasSubstr("parley_model_cache_lookups_total{configured_model=\"main\",result=\"hit\"} 1\n"));
  EXPECT_EQ(&metrics.model_guards("main"), &guards);
}

TEST(WorkerMetrics, count_what_an_mcp_server_was_asked_under_names_that_are_few) {
  WorkerMetrics metrics;
  McpMetrics::Series& files = metrics.mcp_server("files");
  EXPECT_THAT(text_of(metrics), HasSubstr("parley_mcp_requests_total{mcp_server=\"files\",outcome=\"timeout\"} 0\n"));
  files.observe("tools/call", 0, std::chrono::milliseconds(30));
  files.observe("resources/read", 6, std::chrono::milliseconds(30));
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_mcp_requests_total{mcp_server=\"files\",outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("parley_mcp_requests_total{mcp_server=\"files\",outcome=\"failed\"} 1\n"));
  for (const char* method : {"tools/call", "other"}) {
    EXPECT_THAT(text, HasSubstr("mcp_client_operation_duration_seconds_count{mcp_method_name=\"" + std::string(method) +
                                "\",mcp_server=\"files\"} 1\n"));
  }
  EXPECT_EQ(&metrics.mcp_server("files"), &files);
}

TEST(WorkerMetrics, count_cached_input_apart_but_within_the_conventions_input) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  metrics.observe_model_call({.agent_type = "hr",
                              .model = kMain,
                              .outcome = "ok",
                              .input_tokens = 100,
                              .cached_input_tokens = 50,
                              .output_tokens = 20,
                              .cost_nano_usd = 1'500'000'000});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr(line("parley_model_tokens_total", kMainLabels, ",token_type=\"input\"} 100")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_tokens_total", kMainLabels, ",token_type=\"cached_input\"} 50")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_tokens_total", kMainLabels, ",token_type=\"output\"} 20")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_cost_usd_total", kMainLabels, "} 1.5")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_unpriced_tokens_total", kMainLabels, "} 0")));
  const std::string usage =
      "gen_ai_client_token_usage_sum{gen_ai_agent_name=\"hr\",gen_ai_operation_name=\"chat\","
      "gen_ai_provider_name=\"openai\",gen_ai_request_model=\"gpt-4o-mini\",gen_ai_token_type=";
  EXPECT_THAT(text, HasSubstr(usage + "\"input\"} 150"));
  EXPECT_THAT(text, HasSubstr(usage + "\"output\"} 20"));
}

TEST(WorkerMetrics, count_the_tokens_of_a_model_without_a_price_as_unpriced) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  metrics.observe_model_call({.agent_type = "hr",
                              .model = kMain,
                              .outcome = "ok",
                              .input_tokens = 100,
                              .cached_input_tokens = 50,
                              .output_tokens = 20,
                              .is_input_cut = true});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr(line("parley_model_cut_inputs_total", kMainLabels, "} 1")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_unpriced_tokens_total", kMainLabels, "} 170")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_cost_usd_total", kMainLabels, "} 0")));
}

TEST(WorkerMetrics, count_models_that_nobody_configured_as_other) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  for (int i = 0; i < 100; ++i) {
    const std::string made_up = "made-up-" + std::to_string(i);
    metrics.observe_model_call({.agent_type = "hr", .model = {"openai", made_up}, .outcome = "ok", .output_tokens = 1});
  }
  const std::string text = text_of(metrics);
  EXPECT_THAT(text,
              HasSubstr("parley_model_tokens_total{agent_type=\"hr\",model=\"other\",token_type=\"output\"} 100"));
  EXPECT_THAT(text, Not(HasSubstr("made-up")));
}

TEST(WorkerMetrics, count_every_request_of_a_call_by_its_outcome_and_the_call_once) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  const std::array<std::string, 2> failed{"overloaded", "overloaded"};
  metrics.observe_model_call(
      {.agent_type = "hr", .model = kMain, .outcome = "ok", .failed_attempts = failed, .latency = 3s});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr(line("parley_model_requests_total", kMainLabels, ",outcome=\"overloaded\"} 2")));
  EXPECT_THAT(text, HasSubstr(line("parley_model_requests_total", kMainLabels, ",outcome=\"ok\"} 1")));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_count{error_type=\"\""));
  EXPECT_THAT(text, Not(HasSubstr("error_type=\"overloaded\"")));
}

TEST(WorkerMetrics, name_the_error_of_a_failed_model_call) {
  WorkerMetrics metrics;
  metrics.observe_model_call({.agent_type = "hr", .model = kMain, .outcome = "overloaded", .latency = 1s});
  EXPECT_THAT(text_of(metrics), HasSubstr("gen_ai_client_operation_duration_seconds_count{error_type=\"overloaded\""));
}

/// The boundaries of one histogram of the page, as it writes them.
std::string boundaries_of(WorkerMetrics& metrics, std::string_view name, std::string_view label) {
  std::string found;
  const std::string text = text_of(metrics);
  const std::string start = std::string(name) + "_bucket{";
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const std::string row = text.substr(at, text.find('\n', at) - at);
    if (!row.contains(label)) continue;
    const std::size_t bound = row.find("le=\"") + 4;
    found += row.substr(bound, row.find('"', bound) - bound) + " ";
  }
  return found;
}

TEST(WorkerMetrics, use_the_buckets_of_the_conventions) {
  WorkerMetrics metrics;
  metrics.add_model("hr", kMain);
  EXPECT_EQ(boundaries_of(metrics, "gen_ai_client_operation_duration_seconds", "error_type=\"\""),
            "0.01 0.02 0.04 0.08 0.16 0.32 0.64 1.28 2.56 5.12 10.24 20.48 40.96 81.92 +Inf ");
  EXPECT_EQ(boundaries_of(metrics, "gen_ai_client_token_usage", "gen_ai_token_type=\"input\""),
            "1 4 16 64 256 1024 4096 16384 65536 262144 1048576 4194304 16777216 67108864 +Inf ");
}

}  // namespace
}  // namespace parley::monitoring
