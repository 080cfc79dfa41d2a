// A chat model that reports each call of one agent type to the metrics. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/clock.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

class ObservedModel final : public llm::ChatModel {
 public:
  /// `inner` is shared by all agent types that use it; metrics and clock must outlive the model.
  ObservedModel(std::shared_ptr<llm::ChatModel> inner, std::string agent_type, std::string model,
                monitoring::WorkerMetrics& metrics, const Clock& clock);

  Task<std::expected<llm::Completion, llm::ModelError>> complete(llm::ChatRequest request,
                                                                 llm::ChunkSink on_chunk) override;

 private:
  std::shared_ptr<llm::ChatModel> inner_;
  std::string agent_type_;
  std::string model_;
  monitoring::WorkerMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace parley::host
