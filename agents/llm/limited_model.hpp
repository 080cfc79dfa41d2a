// At most so many calls of a model at once; others wait in line, bounded in number and time. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "agents/llm/call_queue.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_observer.hpp"

namespace parley::llm {

struct CallLimits {
  std::size_t max_running = 8;
  std::size_t max_waiting = 1000;
  std::chrono::milliseconds max_wait{60'000};
};

class LimitedModel final : public ChatModel {
 public:
  /// `name` is for messages. `clock` must outlive the model.
  LimitedModel(std::shared_ptr<ChatModel> inner, std::string name, CallLimits limits,
               std::shared_ptr<ModelObserver> observer, const Clock& clock);

  /// When the line is full or the wait too long: `overloaded`, ModelError::Kind::refused_here. When the deadline passes
  /// in the line: `timeout`.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  /// Shared with the calls under way, which may end after the model.
  struct Line;
  class Place;

  std::shared_ptr<ChatModel> inner_;
  std::string name_;
  CallLimits limits_;
  std::shared_ptr<Line> line_;
  const Clock& clock_;
};

}  // namespace parley::llm
