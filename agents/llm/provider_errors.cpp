#include "agents/llm/provider_errors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <curl/curl.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "libmsg/core/retry_hint.hpp"

namespace parley::llm {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxExcerptBytes = 300;
constexpr milliseconds kLongestDelay{std::chrono::hours(24 * 365)};

/// Codes that mean an empty account, whatever the status: waiting does not help.
constexpr std::array<std::string_view, 9> kQuotaCodes{
    "insufficient_quota",           "credit_balance_exhausted",
    "billing_hard_limit_reached",   "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
    "billing_not_active",           "billing_error",
    "enforced_spend_limit_reached",
};

/// Codes and phrases of a request that is longer than the model reads: of OpenAI and vLLM, Anthropic, llama.cpp.
constexpr std::array<std::string_view, 2> kContextCodes{"context_length_exceeded", "exceed_context_size_error"};
constexpr std::array<std::string_view, 4> kContextPhrases{"maximum context length", "prompt is too long",
                                                          "exceeds the available context size", "context window"};
constexpr std::array<std::string_view, 3> kPolicyCodes{"content_policy_violation", "content_filter",
                                                       "responsible_ai_policy_violation"};

/// Servers that were started without tools, some of which call it a failure of their own (llama.cpp: 500). No retry
/// helps, and nothing is wrong with the server for requests without tools.
struct MissingTools {
  std::string_view phrase;
  std::string_view hint;
};
constexpr std::array<MissingTools, 3> kMissingTools{
    {{"--enable-auto-tool-choice", "start vLLM with --enable-auto-tool-choice and --tool-call-parser NAME"},
     {"--jinja", "start llama.cpp's server with --jinja"},
     {"does not support tools", "use a model that does, or an agent without tools"}}};

struct ProviderText {
  std::string message;
  std::string type;
  std::string code;
};

/// Printable and short: the text ends up in logs and terminals.
std::string excerpt(std::string_view text) {
  std::string safe(text.substr(0, kMaxExcerptBytes));
  std::ranges::replace_if(safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  while (!safe.empty() && safe.back() == ' ') safe.pop_back();
  if (text.size() > kMaxExcerptBytes) {
    while (!safe.empty() && (static_cast<unsigned char>(safe.back()) & 0xC0U) == 0x80U) safe.pop_back();
    if (!safe.empty() && (static_cast<unsigned char>(safe.back()) & 0x80U) != 0) safe.pop_back();
    safe += "…";
  }
  return safe;
}

/// `{"error":{…}}`, `{"error":"…"}`, `{"message":…}`, `{"detail":…}` and a list of one of them all occur.
ProviderText provider_text(const nlohmann::json& body) {
  if (body.is_array() && !body.empty()) return provider_text(body.front());
  const nlohmann::json& nested = member(body, "error");
  const nlohmann::json& error = nested.is_object() ? nested : body;
  ProviderText text{.message = std::string(text_member(error, "message")),
                    .type = std::string(text_member(error, "type")),
                    .code = std::string(text_member(error, "code"))};
  if (text.code.empty()) text.code = text_member(member(error, "details"), "error_code");
  if (text.message.empty()) text.message = text_member(error, "detail");
  if (text.message.empty()) text.message = text_member(body, "error");
  return text;
}

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, const ProviderText& text) {
  return std::ranges::any_of(names, [&](std::string_view name) { return name == text.code || name == text.type; });
}

ModelError::Kind kind_of(const ProviderText& text) {
  if (is_one_of(kPolicyCodes, text)) return ModelError::Kind::content_policy;
  const bool is_said = std::ranges::any_of(
      kContextPhrases, [&](std::string_view phrase) { return text.message.find(phrase) != std::string::npos; });
  return is_said || is_one_of(kContextCodes, text) ? ModelError::Kind::context_window : ModelError::Kind::other;
}

/// The last word on a failure: what it is, and what to try.
struct Verdict {
  ErrorCode code;
  bool is_retryable;
  std::string what;
  std::string hint;
};

Verdict verdict_of_status(int status, const CallSite& site) {
  const std::string key = site.key_variable.empty() ? "the server wants a key: name its variable in the configuration"
                                                    : "check the key in " + site.key_variable;
  switch (status) {
    case 401:
      return {ErrorCode::unauthorized, false, "refused the key", key};
    case 402:
      return {ErrorCode::budget_exceeded, false, "wants payment", "look at the account's balance"};
    case 403:
      return {ErrorCode::unauthorized, false, "denied access", key + " and what it may use"};
    case 404:
      return {ErrorCode::invalid, false, "was not found", "check the model's name and the base URL"};
    case 408:
      return {ErrorCode::upstream_failed, true, "timed out", "try again"};
    case 409:
      return {ErrorCode::upstream_failed, true, "reported a conflict", "try again"};
    case 413:
      return {ErrorCode::too_large, false, "found the request too large", "send less text"};
    case 429:
      return {ErrorCode::overloaded, true, "limits the rate of requests", "try again later or ask less often"};
    case 529:
      return {ErrorCode::overloaded, true, "is overloaded", "try again later"};
    default:
      break;
  }
  if (status >= 500) return {ErrorCode::upstream_failed, true, "failed", "try again; if it stays, look at the server"};
  if (status >= 400) return {ErrorCode::invalid, false, "refused the request", "check the model's name and options"};
  return {ErrorCode::upstream_failed, false, "gave an unexpected answer", "check the base URL"};
}

/// The status that a failure would have had if it had not come behind a 200; 0: unknown.
int status_of(const ProviderText& text) {
  constexpr std::array<std::pair<std::string_view, int>, 10> kTypes{{{"rate_limit_error", 429},
                                                                     {"rate_limit_exceeded", 429},
                                                                     {"overloaded_error", 529},
                                                                     {"invalid_request_error", 400},
                                                                     {"authentication_error", 401},
                                                                     {"permission_error", 403},
                                                                     {"not_found_error", 404},
                                                                     {"request_too_large", 413},
                                                                     {"api_error", 500},
                                                                     {"timeout_error", 504}}};
  for (const auto& [name, status] : kTypes) {
    if (text.type == name || text.code == name) return status;
  }
  return 0;
}

Verdict context_verdict() {
  return {ErrorCode::too_large, false, "cannot read a request of this length", "send less text, or use a larger model"};
}

std::optional<Verdict> missing_tools_verdict(const ProviderText& text) {
  for (const MissingTools& each : kMissingTools) {
    if (text.message.find(each.phrase) == std::string::npos) continue;
    return Verdict{ErrorCode::invalid, false, "takes no tools as it was started", std::string(each.hint)};
  }
  return std::nullopt;
}

/// What the provider says counts for more than the status.
Verdict verdict_of(const ProviderText& text, int status, const CallSite& site) {
  if (auto verdict = missing_tools_verdict(text)) return std::move(*verdict);
  if (is_one_of(kQuotaCodes, text)) {
    return {ErrorCode::budget_exceeded, false, "has no quota left", "raise the account's limit"};
  }
  const bool is_refusal = status >= 400 && status < 500 && status != 429;
  if (is_refusal && kind_of(text) == ModelError::Kind::context_window) return context_verdict();
  return verdict_of_status(status, site);
}

std::string seconds_text(milliseconds delay) {
  return delay.count() % 1000 == 0 ? std::to_string(delay.count() / 1000) + " s"
                                   : std::to_string(delay.count()) + " ms";
}

Error make_error(const Verdict& verdict, const CallSite& site, std::string_view details,
                 std::string_view provider_says) {
  std::string message = site.str() + " " + verdict.what;
  if (!details.empty()) message.append(" (").append(details).append(")");
  if (!provider_says.empty()) message.append(": ").append(excerpt(provider_says));
  message.append("; ").append(verdict.hint);
  return {verdict.code, std::move(message), verdict.is_retryable};
}

std::optional<milliseconds> parse_number(std::string_view text, double unit_in_ms) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
  const double delay = std::min(value * unit_in_ms, static_cast<double>(kLongestDelay.count()));
  return milliseconds(static_cast<milliseconds::rep>(delay));
}

/// Only of a request that was refused for good: a server that fails may say anything.
ModelError::Kind kind_of_failure(const Verdict& verdict, const ProviderText& text) {
  const bool is_refusal = verdict.code == ErrorCode::invalid || verdict.code == ErrorCode::too_large;
  return is_refusal ? kind_of(text) : ModelError::Kind::other;
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view milliseconds_text, std::string_view seconds_or_date,
                                              WallTime now) {
  if (auto delay = parse_number(milliseconds_text, 1)) return delay;
  if (auto delay = parse_number(seconds_or_date, 1000)) return delay;
  if (seconds_or_date.empty()) return std::nullopt;
  const std::time_t date = curl_getdate(std::string(seconds_or_date).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  const WallTime moment = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::from_time_t(date));
  return std::clamp(moment - now, milliseconds(0), kLongestDelay);
}

ModelError error_of_status(const HttpFailure& failure, const CallSite& site, WallTime now) {
  const auto body = parse_json(failure.body);
  const ProviderText text =
      body ? provider_text(*body) : ProviderText{.message = std::string(failure.body), .type = {}, .code = {}};
  Verdict verdict = verdict_of(text, failure.status, site);
  if (failure.should_retry == "true" && verdict.code != ErrorCode::budget_exceeded) verdict.is_retryable = true;
  if (failure.should_retry == "false") verdict.is_retryable = false;

  const auto retry_after = parse_retry_after(failure.retry_after_ms, failure.retry_after, now);
  std::string details = "HTTP " + std::to_string(failure.status);
  if (!text.code.empty()) details += ", " + excerpt(text.code);
  if (!failure.request_id.empty()) details += ", request " + excerpt(failure.request_id);
  if (retry_after) details += ", asks to wait " + seconds_text(*retry_after);
  Error error = make_error(verdict, site, details, text.message);
  if (retry_after) set_retry_after(error, *retry_after);  // For the caller, when nobody waits for so long here.
  return {.error = std::move(error), .retry_after = retry_after, .kind = kind_of_failure(verdict, text)};
}

ModelError error_of_stream(const nlohmann::json& event, const CallSite& site) {
  const ProviderText text = provider_text(event);
  Verdict verdict{ErrorCode::upstream_failed, true, "failed while it answered", "try again"};
  int status = status_of(text);
  if (status == 0) status = static_cast<int>(count_member(member(event, "error"), "code").value_or(0));
  if (status >= 400 && status < 600) {
    verdict = verdict_of(text, status, site);
  } else if (is_one_of(kQuotaCodes, text)) {
    verdict = verdict_of(text, 429, site);
  }
  return {.error = make_error(verdict, site, text.code.empty() ? text.type : text.code, text.message),
          .kind = kind_of_failure(verdict, text)};
}

}  // namespace parley::llm
