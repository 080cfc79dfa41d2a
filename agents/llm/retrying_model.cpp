#include "agents/llm/retrying_model.hpp"

#include <algorithm>
#include <utility>

#include "agents/llm/pause.hpp"
#include "agents/llm/watched_sink.hpp"

namespace parley::llm {

namespace {

void append_attempts(std::vector<ErrorCode>& all, ModelError& failure) {
  all.insert(all.end(), failure.failed_attempts.begin(), failure.failed_attempts.end());
  all.push_back(failure.error.code);
}

bool is_something(const messages::Usage& usage) { return usage != messages::Usage{}; }

void add_spent(messages::Usage& usage, const messages::Usage& spent) {
  if (!is_something(spent)) return;
  const std::string model = usage.model.empty() ? spent.model : usage.model;
  usage += spent;
  usage.model = model;  // the one that answered, in the end
}

}  // namespace

Task<std::expected<Completion, ModelError>> RetryingModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  const TimePoint deadline = std::min(started + options_.timeout, request.deadline.value_or(TimePoint::max()));
  request.deadline = deadline;
  WatchedSink watched(std::move(on_chunk));
  Retry retry(options_.retry);
  std::vector<ErrorCode> failed_attempts;
  messages::Usage spent;  // by attempts whose answer broke off
  for (;;) {
    const TimePoint attempt_started = clock_.now();
    ChatRequest copy = request;
    Outcome outcome = co_await inner_->complete(std::move(copy), watched.sink());
    if (outcome) {
      outcome->latency = clock_.now() - started;
      if (outcome->time_to_first_chunk) *outcome->time_to_first_chunk += attempt_started - started;
      add_spent(outcome->usage, spent);
      outcome->failed_attempts.insert(outcome->failed_attempts.begin(), failed_attempts.begin(), failed_attempts.end());
      co_return outcome;
    }
    ModelError& failure = outcome.error();
    std::optional<Duration> delay;
    if (!watched.has_handed_out()) delay = retry.delay_after(failure, clock_.now(), deadline, random_);
    if (!delay) {
      if (is_something(spent)) add_spent(failure.usage.emplace(failure.usage.value_or(messages::Usage{})), spent);
      if (!failed_attempts.empty()) {
        failure.error.message += " (tried " + std::to_string(failed_attempts.size() + 1) + " times)";
      }
      failure.failed_attempts.insert(failure.failed_attempts.begin(), failed_attempts.begin(), failed_attempts.end());
      co_return outcome;
    }
    append_attempts(failed_attempts, failure);
    if (failure.usage) spent += *failure.usage;
    if (Result<> waited = co_await pause(*delay); !waited) {
      ModelError cancelled{.error = std::move(waited).error()};
      cancelled.failed_attempts = std::move(failed_attempts);
      if (is_something(spent)) cancelled.usage = std::move(spent);
      co_return std::unexpected(std::move(cancelled));
    }
  }
}

}  // namespace parley::llm
