#include "agents/telemetry/otlp_answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace parley::telemetry {
namespace {

using nlohmann::json;

/// A collector that asks for more is asked again after this.
constexpr std::int64_t kMaxRetryAfter = 300;
constexpr std::size_t kMaxReason = 200;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// `{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "…"}}`; numbers of 64 bits may be texts.
void read_partial_success(const std::string& body, OtlpAnswer& answer) {
  const json value = json::parse(body, nullptr, false);
  if (!value.is_object() || !value.contains("partialSuccess")) return;
  const json& partial = value["partialSuccess"];
  if (!partial.is_object()) return;
  if (const auto rejected = partial.find("rejectedSpans"); rejected != partial.end()) {
    std::int64_t count = 0;
    if (rejected->is_number_integer()) count = rejected->get<std::int64_t>();
    if (rejected->is_string()) count = number_of(rejected->get_ref<const std::string&>()).value_or(0);
    answer.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  }
  if (const auto message = partial.find("errorMessage"); message != partial.end() && message->is_string()) {
    answer.reason = message->get_ref<const std::string&>().substr(0, kMaxReason);
  }
}

}  // namespace

OtlpAnswer read_otlp_answer(int status, std::string_view retry_after, const std::string& body) {
  OtlpAnswer answer;
  if (status >= 200 && status < 300) {
    read_partial_success(body, answer);
    return answer;
  }
  constexpr std::array kRetryable{429, 502, 503, 504};
  answer.kind =
      std::ranges::find(kRetryable, status) != kRetryable.end() ? OtlpAnswer::Kind::later : OtlpAnswer::Kind::refused;
  answer.reason = fmt::format("the collector answered with status {}: {}", status, body.substr(0, kMaxReason));
  if (const auto seconds = number_of(retry_after); seconds && *seconds >= 0) {
    answer.retry_after = std::chrono::seconds(std::min(*seconds, kMaxRetryAfter));
  }
  return answer;
}

}  // namespace parley::telemetry
