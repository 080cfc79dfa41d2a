#include "agents/host/observed_model.hpp"

#include <utility>

namespace parley::host {

ObservedModel::ObservedModel(std::shared_ptr<llm::ChatModel> inner, std::string agent_type, std::string model,
                             monitoring::WorkerMetrics& metrics, const Clock& clock)
    : inner_(std::move(inner)),
      agent_type_(std::move(agent_type)),
      model_(std::move(model)),
      metrics_(metrics),
      clock_(clock) {}

Task<std::expected<llm::Completion, llm::ModelError>> ObservedModel::complete(llm::ChatRequest request,
                                                                              llm::ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  std::expected<llm::Completion, llm::ModelError> completion =
      co_await inner_->complete(std::move(request), std::move(on_chunk));
  const std::string outcome = completion ? "ok" : to_string(completion.error().error.code);
  monitoring::ModelCall call{agent_type_, model_, outcome, clock_.now() - started};
  // A call that failed may have cost something, too.
  const messages::Usage* usage = completion                 ? &completion->usage
                                 : completion.error().usage ? &*completion.error().usage
                                                            : nullptr;
  if (usage != nullptr) {
    call.input_tokens = usage->input_tokens;
    call.output_tokens = usage->output_tokens;
  }
  metrics_.observe_model_call(call);
  co_return completion;
}

}  // namespace parley::host
