#include "agents/llm/recording.hpp"

#include <algorithm>
#include <utility>

#include "agents/llm/canonical_request.hpp"
#include "agents/llm/json_text.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "parley-model-recording";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMaxShownBytes = 120;

std::unexpected<Error> wrong(std::size_t line, const std::string& what) {
  return fail(ErrorCode::invalid, "line " + std::to_string(line) + " of the recording: " + what);
}

Result<> check_header(const json& header) {
  if (text_member(header, "format") != kFormat) {
    return wrong(1, "expected {\"format\":\"" + std::string(kFormat) + "\",\"version\":1}");
  }
  if (count_member(header, "version") != kVersion) return wrong(1, "the version is not one that this program knows");
  return {};
}

Result<RecordedExchange> exchange_of(json line, std::size_t number) {
  RecordedExchange exchange;
  exchange.request = member(line, "request");
  if (!exchange.request.is_object()) return wrong(number, "there is no `request`");
  const json& error = member(line, "error");
  if (error.is_object()) {
    Result<ModelError> failure = model_error_of(error);
    if (!failure) return wrong(number, failure.error().message);
    exchange.outcome = std::unexpected(std::move(*failure));
    return exchange;
  }
  Result<Completion> completion = completion_of(member(line, "completion"));
  if (!completion) return wrong(number, completion.error().message);
  exchange.outcome = std::move(*completion);
  return exchange;
}

std::string shown(const json& value) {
  std::string text = to_text(value);
  if (text.size() <= kMaxShownBytes) return text;
  return std::string(utf8_prefix(text, kMaxShownBytes)) + "…";
}

/// `/messages/1/content is "b" and was "a"`; empty when the requests are the same.
std::string difference(const json& recorded, const json& asked) {
  const json patch = json::diff(recorded, asked);
  if (patch.empty()) return {};
  const json& first = patch.front();
  const std::string path(text_member(first, "path"));
  const std::string_view operation = text_member(first, "op");
  if (operation == "add") return path + " is " + shown(member(first, "value")) + " and was not there";
  const json& was = recorded.at(json::json_pointer(path));
  if (operation == "remove") return path + " is not there and was " + shown(was);
  return path + " is " + shown(member(first, "value")) + " and was " + shown(was);
}

}  // namespace

std::string recording_header() { return to_text({{"format", kFormat}, {"version", kVersion}}) + "\n"; }

std::string recording_line(const json& request, const ModelOutcome& outcome) {
  json line{{"request", request}};
  if (outcome) {
    line["completion"] = json_of(*outcome);
  } else {
    line["error"] = json_of(outcome.error());
  }
  return to_text(line) + "\n";
}

Result<std::vector<RecordedExchange>> parse_recording(std::string_view text) {
  std::vector<RecordedExchange> exchanges;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    ++number;
    std::optional<json> value = parse_json(line);
    if (!value || !value->is_object()) return wrong(number, "not a JSON object");
    if (number == 1) {
      if (Result<> checked = check_header(*value); !checked) return fail(std::move(checked).error());
      continue;
    }
    Result<RecordedExchange> exchange = exchange_of(std::move(*value), number);
    if (!exchange) return fail(std::move(exchange).error());
    exchanges.push_back(std::move(*exchange));
  }
  if (number == 0) return wrong(1, "the file is empty");
  return exchanges;
}

Replay::Replay(std::vector<RecordedExchange> exchanges, ReplayMatch match)
    : exchanges_(std::move(exchanges)), match_(match) {
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    by_request_[fingerprint_of(exchanges_[i].request)].push_back(i);
  }
}

Result<ModelOutcome> Replay::answer(const json& request) {
  if (match_ == ReplayMatch::order) return next_in_order(request);
  const auto found = by_request_.find(fingerprint_of(request));
  if (found == by_request_.end() || exchanges_[found->second.front()].request != request) {
    return fail(ErrorCode::invalid, "the recording has no answer to this request" + nearest(request));
  }
  const std::size_t index = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return exchanges_[index].outcome;
}

Result<ModelOutcome> Replay::next_in_order(const json& request) {
  if (next_ >= exchanges_.size()) {
    return fail(ErrorCode::invalid,
                "the recording has only " + std::to_string(exchanges_.size()) + " exchanges, and this is one more");
  }
  const RecordedExchange& expected = exchanges_[next_];
  if (const std::string where = difference(expected.request, request); !where.empty()) {
    return fail(ErrorCode::invalid, "request " + std::to_string(next_ + 1) + " is not the recorded one: " + where);
  }
  ++next_;
  return expected.outcome;
}

std::string Replay::nearest(const json& request) const {
  // Of the requests that are alike in length the one with the fewest differences is most likely what was meant.
  const std::size_t count = member(request, "messages").size();
  std::size_t fewest = std::string::npos;
  std::string text;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    const json& recorded = exchanges_[i].request;
    if (member(recorded, "messages").size() != count) continue;
    const std::size_t differences = json::diff(recorded, request).size();
    if (differences >= fewest) continue;
    fewest = differences;
    text = "; exchange " + std::to_string(i + 1) + " is most like it, but " + difference(recorded, request);
  }
  return text;
}

}  // namespace parley::llm
