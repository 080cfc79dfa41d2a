#include "agents/telemetry/otlp_settings.hpp"

#include <gmock/gmock.h>
#include <map>

namespace parley::telemetry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class OtlpSettingsTest : public ::testing::Test {
 protected:
  Result<std::optional<OtlpOptions>> resolved() {
    return resolve(settings_, {{"service.name", "hr"}, {"host.name", "h"}}, [this](const char* name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::string() : found->second;
    });
  }
  OtlpOptions options() { return resolved().value().value(); }

  TelemetrySettings settings_;
  std::map<std::string, std::string> variables_;
};

TEST_F(OtlpSettingsTest, are_off_unless_somebody_names_a_collector) { EXPECT_FALSE(resolved().value().has_value()); }

TEST_F(OtlpSettingsTest, take_the_collector_from_the_file_first) {
  settings_.otlp_endpoint = "http://file:4318/";
  variables_["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://traces:1/all";
  variables_["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://base:2/otlp/";
  EXPECT_EQ(options().url, "http://file:4318/v1/traces");
  settings_.otlp_endpoint.reset();
  EXPECT_EQ(options().url, "http://traces:1/all");
  variables_.erase("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  EXPECT_EQ(options().url, "http://base:2/otlp/v1/traces");
}

TEST_F(OtlpSettingsTest, are_off_when_the_environment_forbids_telemetry) {
  settings_.otlp_endpoint = "http://file:4318";
  variables_["OTEL_SDK_DISABLED"] = "true";
  EXPECT_FALSE(resolved().value().has_value());
}

TEST_F(OtlpSettingsTest, take_headers_from_the_variable_that_the_file_names) {
  settings_.otlp_endpoint = "http://file:4318";
  settings_.headers_variable = "MY_HEADERS";
  variables_["MY_HEADERS"] = "authorization=Basic%20abc%3D, x-tenant = blue";
  EXPECT_THAT(options().headers, ElementsAre("authorization: Basic abc=", "x-tenant: blue"));
}

TEST_F(OtlpSettingsTest, never_tell_what_is_in_a_malformed_variable) {
  settings_.otlp_endpoint = "http://file:4318";
  for (const char* value : {"sk-secret", "=sk-secret", "a=sk-secret%0d%0ab: c", "a=sk-secret%zz", "a: b=sk-secret"}) {
    variables_["OTEL_EXPORTER_OTLP_HEADERS"] = value;
    const auto failed = resolved();
    ASSERT_FALSE(failed.has_value()) << value;
    EXPECT_EQ(failed.error().code, ErrorCode::bad_configuration);
    EXPECT_THAT(failed.error().message, HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
    EXPECT_THAT(failed.error().message, Not(HasSubstr("secret")));
  }
}

TEST_F(OtlpSettingsTest, refuse_an_endpoint_that_is_not_http) {
  for (const char* value : {"localhost:4318", "grpc://c:4317", "http://", "http:///v1"}) {
    variables_["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = value;
    EXPECT_FALSE(resolved().has_value()) << value;
  }
}

TEST_F(OtlpSettingsTest, add_what_the_environment_says_about_the_service) {
  settings_.otlp_endpoint = "http://file:4318";
  variables_["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=prod,host.name=pod-7";
  variables_["OTEL_SERVICE_NAME"] = "people";
  EXPECT_THAT(options().resource, ElementsAre(Pair("service.name", "people"), Pair("host.name", "pod-7"),
                                              Pair("deployment.environment", "prod")));
}

TEST(OtlpPairs, may_be_none) { EXPECT_THAT(parse_pairs(" ").value(), IsEmpty()); }

}  // namespace
}  // namespace parley::telemetry
