#include "agents/llm/fallback_model.hpp"

#include <utility>

#include "agents/llm/watched_sink.hpp"

namespace parley::llm {

/// How far a call has come: chains are left for a special one, never entered again.
struct FallbackModel::Step {
  const std::vector<FallbackMember>* chain;
  std::size_t index = 0;
};

bool passes_on(const ModelError& failure) {
  switch (failure.error.code) {
    case ErrorCode::overloaded:
    case ErrorCode::upstream_failed:
    case ErrorCode::unreachable:
    case ErrorCode::timeout:
    case ErrorCode::unauthorized:
    case ErrorCode::budget_exceeded:
      return true;
    default:
      return false;
  }
}

const FallbackMember* FallbackModel::next(Step& step, const ModelError& failure) const {
  const std::vector<FallbackMember>* special = nullptr;
  if (failure.kind == ModelError::Kind::context_window) special = &chains_.for_context_window;
  if (failure.kind == ModelError::Kind::content_policy) special = &chains_.for_content_policy;
  if (special != nullptr && special != step.chain) {
    if (special->empty()) return nullptr;
    step = {.chain = special, .index = 0};
    return &special->front();
  }
  if (special == nullptr && !passes_on(failure)) return nullptr;
  if (++step.index >= step.chain->size()) return nullptr;
  return &(*step.chain)[step.index];
}

Task<std::expected<Completion, ModelError>> FallbackModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  WatchedSink watched(std::move(on_chunk));
  Step step{.chain = &chains_.members};
  const FallbackMember* member = &chains_.members.front();
  std::string history;
  for (;;) {
    const TimePoint asked = clock_.now();
    ChatRequest copy = request;
    std::expected<Completion, ModelError> outcome = co_await member->model->complete(std::move(copy), watched.sink());
    if (outcome) {
      outcome->latency = clock_.now() - started;
      if (outcome->time_to_first_chunk) *outcome->time_to_first_chunk += asked - started;
      co_return outcome;
    }
    ModelError& failure = outcome.error();
    const bool is_late = request.deadline && clock_.now() >= *request.deadline;
    const FallbackMember* other = watched.has_handed_out() || is_late ? nullptr : next(step, failure);
    if (other == nullptr) {
      if (!history.empty()) failure.error.message += " (before it failed: " + history + ")";
      co_return outcome;
    }
    if (!history.empty()) history += ", ";
    history += member->name + ": " + to_string(failure.error.code);
    member = other;
    member->observer->fell_back();
  }
}

}  // namespace parley::llm
