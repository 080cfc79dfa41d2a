#include "agents/people/ask.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "libmsg/core/duration.hpp"

namespace parley::people {

using messages::Answered;
using messages::Ask;
using std::chrono::milliseconds;

namespace {

/// Left of the handled request's time after the question's own, for what is done with the answer.
constexpr milliseconds kMargin{500};
/// The desk answers with the default or `timeout` by itself; only when it is gone the request's own time counts.
constexpr milliseconds kGrace{5000};
constexpr milliseconds kRetryPause{250};

/// Eight digits, short enough to type: no two questions of one agent begin at the same nanosecond.
std::string new_id(const Context& context) {
  constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325U;
  constexpr std::uint64_t kFnvPrime = 0x100000001b3U;
  std::uint64_t hash = kFnvBasis;
  const auto mix = [&hash](std::string_view text) {
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * kFnvPrime;
  };
  mix(context.self().str());
  mix(std::to_string(context.now().time_since_epoch().count()));
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  constexpr unsigned kBitsOfDigit = 5;
  std::array<char, 8> id{};
  for (char& digit : id) {
    digit = kDigits[hash % kDigits.size()];
    hash >>= kBitsOfDigit;
  }
  return {id.begin(), id.end()};
}

Ask to_message(Question question, const Context& context) {
  Ask ask;
  ask.question = std::move(question.text);
  ask.asked_by = context.self().str();
  ask.kind = std::move(question.kind);
  ask.choices = std::move(question.choices);
  ask.has_default = question.default_answer.has_value();
  ask.default_answer = std::move(question.default_answer).value_or("");
  return ask;
}

/// The desk went away with the question, or the way to it broke.
bool is_lost(ErrorCode code) {
  return code == ErrorCode::worker_lost || code == ErrorCode::broker_lost || code == ErrorCode::undeliverable ||
         code == ErrorCode::shutting_down;
}

Result<Answered> nobody(const Ask& ask, milliseconds waited) {
  if (ask.has_default) return Answered{ask.default_answer, "", true};
  return fail(ErrorCode::timeout, "nobody has answered the question within " + format_duration(waited));
}

}  // namespace

Question approval(std::string text, milliseconds timeout) {
  Question question;
  question.text = std::move(text);
  question.kind = "approval";
  question.choices = {std::string(kApprove), std::string(kReject)};
  question.timeout = timeout;
  question.default_answer = std::string(kReject);
  return question;
}

milliseconds patience(const Context& context, milliseconds timeout) {
  if (!context.deadline()) return timeout;
  const auto left = std::chrono::ceil<milliseconds>(*context.deadline() - kMargin - context.now());
  return std::clamp(left, milliseconds(0), timeout);
}

Task<Result<Answered>> ask_person(Context& context, Question question) {
  const Result<AgentId> desk =
      AgentId::make(messages::kQuestionsType, question.id.empty() ? new_id(context) : question.id);
  if (!desk) co_return fail(desk.error());
  const milliseconds wait = patience(context, question.timeout);
  const TimePoint until = context.now() + wait;
  Ask ask = to_message(std::move(question), context);
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - context.now());
    if (left.count() <= 0) co_return nobody(ask, wait);
    ask.timeout_ms = static_cast<std::uint64_t>(left.count());
    CallOptions options;
    options.timeout = left + kGrace;
    Result<Answered> answered = co_await context.request<Answered>(*desk, ask, std::move(options));
    if (answered) co_return answered;
    const ErrorCode code = answered.error().code;
    if (code == ErrorCode::unknown_agent_type) {
      co_return fail(code, "nobody can ask a person: no worker hosts 'sys.questions' (kind question_desk)");
    }
    if (code == ErrorCode::timeout) co_return nobody(ask, wait);
    if (!is_lost(code) || context.is_cancelled()) co_return answered;
    const Result<> paused = co_await context.sleep(kRetryPause);
    if (!paused) co_return fail(paused.error());
  }
}

}  // namespace parley::people
