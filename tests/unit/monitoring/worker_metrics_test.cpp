#include "monitoring/worker_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace parley::monitoring {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const WorkerMetrics& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.source().Collect());
}

TEST(WorkerMetrics, show_an_agent_type_with_zeros_before_its_first_message) {
  WorkerMetrics metrics("1");
  metrics.add_agent_type("hr");
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 0"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_count{agent_type=\"hr\"} 0"));
  EXPECT_THAT(text, HasSubstr("parley_agent_inflight_messages{agent_type=\"hr\"} 0"));
}

TEST(WorkerMetrics, count_turns_by_outcome) {
  WorkerMetrics metrics("1");
  metrics.observe_turn("hr", "ok", 2ms);
  metrics.observe_turn("hr", "ok", 20ms);
  metrics.observe_turn("hr", "timeout", 1s);
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"ok\"} 2"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turns_total{agent_type=\"hr\",outcome=\"timeout\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_bucket{agent_type=\"hr\",le=\"0.003\"} 1"));
  EXPECT_THAT(text, HasSubstr("parley_agent_turn_seconds_count{agent_type=\"hr\"} 3"));
}

TEST(WorkerMetrics, add_up_the_tokens_of_a_model_by_direction) {
  WorkerMetrics metrics("1");
  metrics.observe_model_call({"hr", "main", "ok", 1s, 100, 20});
  metrics.observe_model_call({"hr", "main", "ok", 1s, 50, 0});
  const std::string text = text_of(metrics);
  const std::string labels = "{gen_ai_agent_name=\"hr\",gen_ai_operation_name=\"chat\",gen_ai_request_model=\"main\",";
  EXPECT_THAT(text, HasSubstr("gen_ai_client_token_usage_sum" + labels + "gen_ai_token_type=\"input\"} 150"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_token_usage_sum" + labels + "gen_ai_token_type=\"output\"} 20"));
}

TEST(WorkerMetrics, name_the_error_of_a_failed_model_call) {
  WorkerMetrics metrics("1");
  metrics.observe_model_call({"hr", "main", "overloaded", 1s});
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_count{error_type=\"overloaded\""));
  EXPECT_THAT(text, Not(HasSubstr("gen_ai_client_token_usage_sum{")));
}

}  // namespace
}  // namespace parley::monitoring
