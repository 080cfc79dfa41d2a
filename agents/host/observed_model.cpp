#include "agents/host/observed_model.hpp"

#include <optional>
#include <spdlog/spdlog.h>
#include <utility>
#include <vector>

#include "agents/host/model_span.hpp"
#include "agents/llm/token_estimate.hpp"
#include "monitoring/log.hpp"

namespace parley::host {

using Outcome = std::expected<llm::Completion, llm::ModelError>;

namespace {

/// A call that failed may have cost something, too.
const messages::Usage* usage_of(const Outcome& outcome) {
  if (outcome) return &outcome->usage;
  return outcome.error().usage ? &*outcome.error().usage : nullptr;
}

std::vector<std::string> names_of(const std::vector<ErrorCode>& codes) {
  std::vector<std::string> names;
  names.reserve(codes.size());
  for (const ErrorCode code : codes) names.push_back(to_string(code));
  return names;
}

}  // namespace

ObservedModel::ObservedModel(std::shared_ptr<llm::ChatModel> inner, std::string agent_type, ModelAccount account,
                             monitoring::WorkerMetrics* metrics, const Clock& clock, SpendSink on_spend)
    : inner_(std::move(inner)),
      agent_type_(std::move(agent_type)),
      account_(std::move(account)),
      metrics_(metrics),
      clock_(clock),
      on_spend_(std::move(on_spend)) {
  if (metrics_ != nullptr) metrics_->add_model(agent_type_, {account_.provider, account_.model});
}

Task<Outcome> ObservedModel::complete(llm::ChatRequest request, llm::ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  // The price is that of the configured model; a request that names another one has none.
  const std::string model = request.model.empty() ? account_.model : request.model;
  const bool is_priced = model == account_.model && account_.price.has_value();
  const std::uint64_t estimated_input = llm::estimate_input_tokens(request);
  std::optional<Span> span = begin_model_span(spans_.get(), request, account_.provider, model, started);
  Outcome outcome = co_await inner_->complete(std::move(request), std::move(on_chunk));

  const std::string code = outcome ? "ok" : to_string(outcome.error().error.code);
  const std::vector<std::string> failed_attempts =
      names_of(outcome ? outcome->failed_attempts : outcome.error().failed_attempts);
  monitoring::ModelCall call{.agent_type = agent_type_,
                             .model = {account_.provider, model},
                             .outcome = code,
                             .failed_attempts = failed_attempts,
                             .latency = clock_.now() - started};
  if (const messages::Usage* usage = usage_of(outcome)) {
    call.cached_input_tokens = llm::cached_input_of(*usage);
    call.input_tokens = usage->input_tokens - call.cached_input_tokens;
    call.output_tokens = usage->output_tokens;
    const bool is_counted = outcome.has_value() && !usage->is_estimated && account_.provider == "openai";
    call.is_input_cut = is_counted && llm::is_input_cut(usage->input_tokens, estimated_input);
    if (call.is_input_cut) warn_of_cut(usage->input_tokens, estimated_input);
    if (is_priced) call.cost_nano_usd = usage->cost_nano_usd;
    on_spend_({usage->input_tokens, usage->output_tokens, call.cost_nano_usd.value_or(0)});
  }
  if (metrics_ != nullptr) metrics_->observe_model_call(call);
  if (span) spans_->record(end_model_span(std::move(*span), outcome, clock_.now()));
  co_return outcome;
}

void ObservedModel::warn_of_cut(std::uint64_t counted, std::uint64_t estimated) {
  if (std::exchange(has_warned_, true)) return;
  spdlog::warn("event=model_input_cut agent_type={} model={} counted_tokens={} estimated_tokens={} reason={}",
               agent_type_, monitoring::log_text(account_.model), counted, estimated,
               monitoring::log_text("the server seems to cut requests; raise its context length (Ollama: num_ctx)"));
}

}  // namespace parley::host
