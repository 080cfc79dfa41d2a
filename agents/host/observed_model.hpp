// A chat model that reports each call of one agent type to the metrics and as a span: requests, tokens, and what they
// cost, which the usage says (llm::PricedModel). Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_price.hpp"
#include "agents/llm/output_tokens.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/span.hpp"
#include "libmsg/runtime/turn_record.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

/// A model as its calls are accounted for.
struct ModelAccount {
  std::string provider;
  std::string model;  ///< as the provider names it
  std::optional<llm::ModelPrice> price;
  llm::OutputTokens output = {};
};

/// Takes what one call has cost, for `parley ps`.
using SpendSink = std::function<void(const Spend& spend)>;

class ObservedModel final : public llm::ChatModel {
 public:
  /// `inner` is shared by all agent types that use it; metrics (null: none) and clock must outlive the model.
  ObservedModel(std::shared_ptr<llm::ChatModel> inner, std::string agent_type, ModelAccount account,
                monitoring::WorkerMetrics* metrics, const Clock& clock, SpendSink on_spend);
  /// Calls that belong to a sampled trace become spans; null: none do.
  void set_span_sink(std::shared_ptr<SpanSink> spans) { spans_ = std::move(spans); }

  Task<std::expected<llm::Completion, llm::ModelError>> complete(llm::ChatRequest request,
                                                                 llm::ChunkSink on_chunk) override;

 private:
  void warn_of_cut(std::uint64_t counted, std::uint64_t estimated);

  std::shared_ptr<llm::ChatModel> inner_;
  std::string agent_type_;
  ModelAccount account_;
  monitoring::WorkerMetrics* metrics_;
  const Clock& clock_;
  SpendSink on_spend_;
  std::shared_ptr<SpanSink> spans_;  ///< shared with the runtime
  bool has_warned_ = false;          ///< once is enough; the metric counts
};

}  // namespace parley::host
