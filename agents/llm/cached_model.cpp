#include "agents/llm/cached_model.hpp"

#include <utility>

#include "agents/llm/canonical_request.hpp"
#include "agents/llm/json_text.hpp"

namespace parley::llm {

namespace {

bool is_worth_keeping(const Completion& completion) {
  return completion.finish_reason == FinishReason::stop && completion.tool_calls.empty();
}

}  // namespace

Task<std::expected<Completion, ModelError>> CachedModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  std::string key = to_text(json_of(request));
  if (std::optional<Completion> known = cache_.find(key, started)) {
    observer_->cache_hit();
    known->usage = messages::Usage{.model = known->usage.model};
    known->latency = Duration::zero();
    known->time_to_first_chunk.reset();
    known->failed_attempts.clear();
    if (on_chunk && !known->text.empty()) {
      known->time_to_first_chunk = Duration::zero();
      if (Result<> taken = co_await on_chunk(known->text); !taken) {
        co_return std::unexpected(ModelError{.error = std::move(taken).error()});
      }
    }
    co_return std::move(*known);
  }
  observer_->cache_missed();
  std::expected<Completion, ModelError> outcome = co_await inner_->complete(std::move(request), std::move(on_chunk));
  if (outcome && is_worth_keeping(*outcome)) cache_.add(std::move(key), *outcome, clock_.now());
  co_return outcome;
}

}  // namespace parley::llm
