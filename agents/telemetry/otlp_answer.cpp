#include "agents/telemetry/otlp_answer.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/whole_number.hpp"

namespace parley::telemetry {
namespace {

using nlohmann::json;

/// A collector that asks for more is asked again after this.
constexpr std::uint64_t kMaxRetryAfter = 300;
constexpr std::size_t kMaxReason = 200;

/// `{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "…"}}`; numbers of 64 bits may be texts.
void read_partial_success(const std::string& body, OtlpAnswer& answer) {
  const json value = json::parse(body, nullptr, false);
  if (!value.is_object() || !value.contains("partialSuccess")) return;
  const json& partial = value["partialSuccess"];
  if (!partial.is_object()) return;
  if (const auto rejected = partial.find("rejectedSpans"); rejected != partial.end()) {
    if (rejected->is_number_unsigned()) answer.rejected = rejected->get<std::uint64_t>();
    if (rejected->is_string()) answer.rejected = whole_number(rejected->get_ref<const std::string&>()).value_or(0);
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
  if (const auto seconds = whole_number(retry_after)) {
    answer.retry_after = std::chrono::seconds(std::min(*seconds, kMaxRetryAfter));
  }
  return answer;
}

}  // namespace parley::telemetry
