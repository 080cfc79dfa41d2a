#include "agents/telemetry/otlp_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace parley::telemetry {
namespace {

using nlohmann::json;

/// 64-bit integers are texts in OTLP's JSON.
struct ValueWriter {
  json operator()(const std::string& text) const { return {{"stringValue", text}}; }
  json operator()(std::int64_t number) const { return {{"intValue", std::to_string(number)}}; }
  json operator()(double number) const { return {{"doubleValue", number}}; }
  json operator()(const std::vector<std::string>& texts) const {
    json values = json::array();
    for (const std::string& text : texts) values.push_back((*this)(text));
    return {{"arrayValue", {{"values", std::move(values)}}}};
  }
};

json attribute(const std::string& name, json value) { return {{"key", name}, {"value", std::move(value)}}; }

json to_json(const Span& span, const WallAnchor& anchor) {
  json attributes = json::array();
  for (const SpanAttribute& each : span.attributes) {
    attributes.push_back(attribute(each.name, std::visit(ValueWriter(), each.value)));
  }
  json value{{"traceId", span.context.trace_id()},
             {"spanId", span_id_text(span.context.span)},
             {"name", span.name},
             {"kind", static_cast<int>(span.kind)},
             {"startTimeUnixNano", std::to_string(anchor.unix_ns_of(span.started))},
             {"endTimeUnixNano", std::to_string(anchor.unix_ns_of(span.ended))}};
  if (span.parent != 0) value["parentSpanId"] = span_id_text(span.parent);
  if (span.error) {
    constexpr int kStatusError = 2;
    // Who recorded it may know better than the catalogue what kind of failure it was.
    if (std::ranges::find(span.attributes, "error.type", &SpanAttribute::name) == span.attributes.end()) {
      attributes.push_back(attribute("error.type", ValueWriter()(std::string(to_string(span.error->code)))));
    }
    value["status"] = {{"code", kStatusError}, {"message", span.error->message}};
  }
  value["attributes"] = std::move(attributes);
  return value;
}

}  // namespace

std::string to_otlp_json(const Resource& resource, std::span<const Span> spans, const WallAnchor& anchor) {
  json about = json::array();
  for (const auto& [name, text] : resource) about.push_back(attribute(name, ValueWriter()(text)));
  json written = json::array();
  for (const Span& span : spans) written.push_back(to_json(span, anchor));
  const json scope{{"name", "parley"}, {"version", PARLEY_VERSION}};
  json scope_spans = json::array();
  scope_spans.push_back({{"scope", scope}, {"spans", std::move(written)}});
  json resource_spans = json::array();
  resource_spans.push_back({{"resource", {{"attributes", std::move(about)}}}, {"scopeSpans", std::move(scope_spans)}});
  const json body{{"resourceSpans", std::move(resource_spans)}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace parley::telemetry
