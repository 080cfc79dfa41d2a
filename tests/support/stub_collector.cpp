#include "tests/support/stub_collector.hpp"

#include <algorithm>

namespace parley::test {
namespace {

using nlohmann::json;

bool is_hex(const json& value, std::size_t length) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos &&
         text.find_first_not_of('0') != std::string::npos;
}

/// Not negative.
bool is_number_text(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find_first_not_of("0123456789") == std::string::npos;
}

/// Exactly one kind of value, and integers as texts.
bool is_value(const json& value) {
  if (!value.is_object() || value.size() != 1) return false;
  const json::const_iterator only = value.begin();
  const std::string& kind = only.key();
  const json& content = *only;
  if (kind == "stringValue") return content.is_string();
  if (kind == "intValue") return content.is_string();
  if (kind == "doubleValue") return content.is_number();
  return kind == "arrayValue" && std::ranges::all_of(content.at("values"), is_value);
}

StubReply taken() {
  StubReply reply;
  reply.raw_body = "{}";
  return reply;
}

}  // namespace

StubCollector::StubCollector(asio::io_context& io) : server_(io) {
  server_.set_default(taken());
  server_.set_observer([this](const StubRequest& request) { take(request); });
}

std::string StubCollector::base() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

void StubCollector::answer_next(int status, std::string body,
                                std::vector<std::pair<std::string, std::string>> headers) {
  StubReply reply;
  reply.status = status;
  reply.raw_body = std::move(body);
  reply.headers = std::move(headers);
  server_.push(std::move(reply));
}

void StubCollector::stall_next() {
  StubReply reply;
  reply.ending = StubReply::Ending::stall;
  reply.pieces_before_ending = 0;
  server_.push(std::move(reply));
}

void StubCollector::take(const StubRequest& request) {
  const auto expect = [this](bool holds, std::string what) {
    if (!holds) problems_.push_back(std::move(what));
  };
  expect(request.method == "POST", "the method is " + request.method);
  expect(request.path == "/v1/traces", "the path is " + request.path);
  expect(request.header("content-type") == "application/json", "the content type is not application/json");
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("resourceSpans")) return expect(false, "the body is not an export of spans");
  for (const json& resource_spans : body["resourceSpans"]) {
    resource_ = resource_spans.value("resource", json());
    expect(!attribute_of(resource_, "service.name").is_null(), "the resource has no service.name");
    for (const json& scope_spans : resource_spans.value("scopeSpans", json::array())) {
      for (const json& span : scope_spans.value("spans", json::array())) {
        check(span);
        spans_.push_back(span);
      }
    }
  }
}

void StubCollector::check(const json& span) {
  const auto expect = [&](bool holds, const char* what) {
    if (!holds) problems_.push_back(std::string(what) + " in " + span.dump());
  };
  expect(is_hex(span.value("traceId", json()), 32), "traceId");
  expect(is_hex(span.value("spanId", json()), 16), "spanId");
  expect(!span.contains("parentSpanId") || is_hex(span["parentSpanId"], 16), "parentSpanId");
  expect(!span.value("name", "").empty(), "name");
  expect(span.value("kind", 0) >= 1 && span.value("kind", 0) <= 5, "kind");
  expect(is_number_text(span.value("startTimeUnixNano", json())), "startTimeUnixNano");
  expect(is_number_text(span.value("endTimeUnixNano", json())), "endTimeUnixNano");
  for (const json& each : span.value("attributes", json::array())) {
    expect(each.contains("key") && each.contains("value") && is_value(each["value"]), "attributes");
  }
}

json attribute_of(const json& owner, std::string_view name) {
  if (!owner.is_object() || !owner.contains("attributes")) return nullptr;
  for (const json& each : owner["attributes"]) {
    if (each.value("key", "") == name) return each["value"].items().begin().value();
  }
  return nullptr;
}

}  // namespace parley::test
