// A model that answers what a test tells it, when the test wants it.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_observer.hpp"
#include "agents/llm/pause.hpp"

namespace parley::llm {

using Outcome = std::expected<Completion, ModelError>;

inline Completion answer_of(std::string text) {
  Completion completion;
  completion.text = std::move(text);
  completion.usage.model = "fake";
  completion.usage.input_tokens = 10;
  completion.usage.output_tokens = 5;
  return completion;
}

inline ModelError failure_of(ErrorCode code, ModelError::Kind kind = ModelError::Kind::other) {
  ModelError failure{.error = {code, "told to fail"}};
  failure.kind = kind;
  return failure;
}

class FakeModel final : public ChatModel {
 public:
  /// The next calls end like this, in order; the last one stays.
  void will(Outcome outcome) { script_.push_back(std::move(outcome)); }
  /// Before it ends, a call hands its text out.
  bool is_streaming_before_failure = false;
  Duration takes{};
  std::vector<ChatRequest> requests;
  std::size_t running = 0;
  std::size_t most_running = 0;

  Task<Outcome> complete(ChatRequest request, ChunkSink on_chunk) override {
    requests.push_back(std::move(request));
    Outcome outcome = script_.front();
    if (script_.size() > 1) script_.pop_front();
    most_running = std::max(most_running, ++running);
    const Result<> waited = co_await pause(takes);
    --running;
    if (!waited) co_return std::unexpected(ModelError{.error = waited.error()});
    const std::string text = outcome ? outcome->text : is_streaming_before_failure ? "partial" : "";
    if (on_chunk && !text.empty()) {
      if (Result<> taken = co_await on_chunk(text); !taken)
        co_return std::unexpected(ModelError{.error = taken.error()});
    }
    co_return outcome;
  }

 private:
  std::deque<Outcome> script_;
};

/// Writes down what it is told.
class NotingObserver final : public ModelObserver {
 public:
  void circuit_changed(CircuitState state) override { circuit.push_back(state); }
  void circuit_refused() override { ++circuit_refusals; }
  void queue_changed(std::size_t running, std::size_t waiting) override { queue = {running, waiting}; }
  void queue_refused() override { ++queue_refusals; }
  void cache_hit() override { ++hits; }
  void cache_missed() override { ++misses; }
  void fell_back() override { ++fallbacks; }

  std::vector<CircuitState> circuit;
  std::pair<std::size_t, std::size_t> queue;
  int circuit_refusals = 0;
  int queue_refusals = 0;
  int hits = 0;
  int misses = 0;
  int fallbacks = 0;
};

inline ChatRequest request_of(std::string text) {
  ChatRequest request;
  request.messages = {{Role::user, std::move(text)}};
  return request;
}

}  // namespace parley::llm
