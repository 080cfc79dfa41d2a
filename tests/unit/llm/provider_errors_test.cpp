#include "agents/llm/provider_errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "libmsg/core/retry_hint.hpp"

namespace parley::llm {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const CallSite kSite{.host = "api.example.com", .model = "m1", .key_variable = "MY_KEY"};
constexpr WallTime kNow{milliseconds(784'111'700'000)};  // Sun, 06 Nov 1994 08:48:20 GMT

ModelError failure(int status, std::string_view body = {}) {
  return error_of_status({.status = status, .body = body}, kSite, kNow);
}

struct StatusCase {
  int status;
  ErrorCode code;
  bool is_retryable;
};

class Status : public testing::TestWithParam<StatusCase> {};

TEST_P(Status, has_its_code) {
  const ModelError error = failure(GetParam().status);
  EXPECT_EQ(error.error.code, GetParam().code);
  EXPECT_EQ(error.error.retryable, GetParam().is_retryable);
  EXPECT_THAT(error.error.message,
              AllOf(HasSubstr("'m1' at api.example.com"), HasSubstr("HTTP " + std::to_string(GetParam().status))));
}

INSTANTIATE_TEST_SUITE_P(
    Provider, Status,
    testing::Values(StatusCase{302, ErrorCode::upstream_failed, false}, StatusCase{400, ErrorCode::invalid, false},
                    StatusCase{401, ErrorCode::unauthorized, false}, StatusCase{402, ErrorCode::budget_exceeded, false},
                    StatusCase{403, ErrorCode::unauthorized, false}, StatusCase{404, ErrorCode::invalid, false},
                    StatusCase{408, ErrorCode::upstream_failed, true},
                    StatusCase{409, ErrorCode::upstream_failed, true}, StatusCase{413, ErrorCode::too_large, false},
                    StatusCase{422, ErrorCode::invalid, false}, StatusCase{429, ErrorCode::overloaded, true},
                    StatusCase{500, ErrorCode::upstream_failed, true},
                    StatusCase{503, ErrorCode::upstream_failed, true}, StatusCase{529, ErrorCode::overloaded, true}),
    [](const auto& status) { return std::to_string(status.param.status); });

TEST(ProviderErrors, call_an_empty_account_a_budget_that_no_retry_helps) {
  for (const char* body : {R"({"error":{"message":"You exceeded your quota","code":"insufficient_quota"}})",
                           R"({"error":{"message":"x","type":"insufficient_quota","code":null}})",
                           R"({"error":{"message":"x","code":"project_spend_limit_exceeded"}})",
                           R"({"type":"error","error":{"type":"billing_error","message":"x"}})",
                           R"({"type":"error","error":{"type":"rate_limit_error","message":"x",
                               "details":{"error_code":"enforced_spend_limit_reached"}}})"}) {
    const ModelError error = error_of_status({.status = 429, .body = body, .should_retry = "true"}, kSite, kNow);
    EXPECT_EQ(error.error.code, ErrorCode::budget_exceeded) << body;
    EXPECT_FALSE(error.error.retryable) << body;
  }
}

struct ToolsCase {
  const char* name;
  int status;
  const char* body;
  const char* hint;
};

/// What servers answer to a request with tools that they were not started for.
class WithoutTools : public testing::TestWithParam<ToolsCase> {};

TEST_P(WithoutTools, is_a_wrong_request_that_no_retry_helps_with_the_flag_as_a_hint) {
  const ModelError error = failure(GetParam().status, GetParam().body);
  EXPECT_EQ(error.error.code, ErrorCode::invalid) << "so that no circuit opens for it";
  EXPECT_FALSE(error.error.retryable);
  EXPECT_THAT(error.error.message, HasSubstr(GetParam().hint));
}

INSTANTIATE_TEST_SUITE_P(
    Provider, WithoutTools,
    testing::Values(
        ToolsCase{"vllm", 400,
                  R"({"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and )"
                  R"(--tool-call-parser to be set","type":"BadRequestError","param":null,"code":400})",
                  "start vLLM with --enable-auto-tool-choice"},
        ToolsCase{"llama_cpp", 500,
                  R"({"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}})",
                  "start llama.cpp's server with --jinja"},
        ToolsCase{"ollama", 400,
                  R"({"error":{"message":"registry.ollama.ai/library/phi3:mini does not support tools",)"
                  R"("type":"invalid_request_error","param":null,"code":null}})",
                  "use a model that does"}),
    [](const auto& server) { return server.param.name; });

TEST(ProviderErrors, name_the_variable_of_a_refused_key) {
  EXPECT_THAT(failure(401).error.message, HasSubstr("check the key in MY_KEY"));
}

TEST(ProviderErrors, repeat_what_the_provider_says_in_any_of_its_shapes) {
  for (const char* body : {R"({"error":{"message":"boom"}})", R"({"error":"boom"})", R"({"message":"boom"})",
                           R"({"detail":"boom"})", R"([{"error":{"message":"boom"}}])", "boom"}) {
    EXPECT_THAT(failure(500, body).error.message, HasSubstr(": boom;")) << body;
  }
}

TEST(ProviderErrors, quote_a_long_or_binary_text_safely) {
  const ModelError error = failure(500, "line\n\x1b[31m" + std::string(5000, 'x'));
  EXPECT_LT(error.error.message.size(), 500U);
  EXPECT_THAT(error.error.message, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
}

TEST(ProviderErrors, carry_the_wait_that_the_provider_asks_for) {
  const ModelError error = error_of_status({.status = 429, .retry_after = "7", .request_id = "req_1"}, kSite, kNow);
  EXPECT_EQ(error.retry_after, milliseconds(7000));
  EXPECT_EQ(error.error.detail(kRetryAfterDetail), "7000") << "for the caller, should nobody wait";
  EXPECT_THAT(error.error.message, HasSubstr("(HTTP 429, request req_1, asks to wait 7 s)"));
}

TEST(ProviderErrors, know_a_request_that_is_longer_than_the_model_reads) {
  for (
      const char* body :
      {R"({"error":{"message":"x","code":"context_length_exceeded"}})",
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens."})",
       R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}})",
       R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000"}})"}) {
    const ModelError error = failure(400, body);
    EXPECT_EQ(error.kind, ModelError::Kind::context_window) << body;
    EXPECT_EQ(error.error.code, ErrorCode::too_large) << body;
    EXPECT_FALSE(error.error.retryable) << body;
  }
  EXPECT_EQ(failure(500, "maximum context length").kind, ModelError::Kind::other);
}

TEST(ProviderErrors, know_what_a_policy_refuses) {
  const ModelError error = failure(400, R"({"error":{"message":"x","code":"content_filter"}})");
  EXPECT_EQ(error.kind, ModelError::Kind::content_policy);
  EXPECT_EQ(error.error.code, ErrorCode::invalid);
}

struct StreamCase {
  const char* type;
  ErrorCode code;
  bool is_retryable;
};

class StreamFailure : public testing::TestWithParam<StreamCase> {};

TEST_P(StreamFailure, has_its_code_behind_a_200) {
  const auto event = nlohmann::json{{"type", "error"}, {"error", {{"type", GetParam().type}, {"message", "m"}}}};
  const ModelError error = error_of_stream(event, kSite);
  EXPECT_EQ(error.error.code, GetParam().code);
  EXPECT_EQ(error.error.retryable, GetParam().is_retryable);
}

INSTANTIATE_TEST_SUITE_P(Anthropic, StreamFailure,
                         testing::Values(StreamCase{"overloaded_error", ErrorCode::overloaded, true},
                                         StreamCase{"rate_limit_error", ErrorCode::overloaded, true},
                                         StreamCase{"api_error", ErrorCode::upstream_failed, true},
                                         StreamCase{"timeout_error", ErrorCode::upstream_failed, true},
                                         StreamCase{"invalid_request_error", ErrorCode::invalid, false},
                                         StreamCase{"authentication_error", ErrorCode::unauthorized, false},
                                         StreamCase{"permission_error", ErrorCode::unauthorized, false},
                                         StreamCase{"not_found_error", ErrorCode::invalid, false},
                                         StreamCase{"request_too_large", ErrorCode::too_large, false},
                                         StreamCase{"billing_error", ErrorCode::budget_exceeded, false},
                                         StreamCase{"something_new", ErrorCode::upstream_failed, true}),
                         [](const auto& failure) { return std::string(failure.param.type); });

TEST(ProviderErrors, obey_the_header_that_says_whether_to_retry) {
  EXPECT_FALSE(error_of_status({.status = 500, .should_retry = "false"}, kSite, kNow).error.retryable);
  EXPECT_TRUE(error_of_status({.status = 400, .should_retry = "true"}, kSite, kNow).error.retryable);
}

TEST(RetryAfter, prefers_milliseconds_to_seconds) {
  EXPECT_EQ(parse_retry_after("250", "9", kNow), milliseconds(250));
  EXPECT_EQ(parse_retry_after("", "1.5", kNow), milliseconds(1500));
}

TEST(RetryAfter, reads_an_http_date) {
  EXPECT_EQ(parse_retry_after("", "Sun, 06 Nov 1994 08:49:37 GMT", kNow), milliseconds(77'000));
  EXPECT_EQ(parse_retry_after("", "Sun, 06 Nov 1993 08:49:37 GMT", kNow), milliseconds(0));
}

TEST(RetryAfter, bounds_and_ignores_nonsense) {
  EXPECT_EQ(parse_retry_after("", "1e300", kNow), milliseconds(std::chrono::hours(24 * 365)));
  for (const char* text : {"", "soon", "-1", "nan", "5 apples"})
    EXPECT_EQ(parse_retry_after("", text, kNow), std::nullopt) << text;
}

}  // namespace
}  // namespace parley::llm
