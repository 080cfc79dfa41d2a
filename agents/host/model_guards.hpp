// What may be put around any model: a recorder, a limit of calls at once, a circuit breaker, retries, a cache. Reads
// their settings, and puts them on in this order, the cache outermost.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "agents/host/agents_config.hpp"
#include "agents/llm/answer_cache.hpp"
#include "agents/llm/circuit_breaker.hpp"
#include "agents/llm/limited_model.hpp"
#include "agents/llm/retrying_model.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

struct ModelGuards {
  std::optional<std::filesystem::path> recording;
  std::optional<llm::CallLimits> limits;
  std::optional<llm::CircuitBreakerOptions> breaker;
  std::optional<llm::RetryingOptions> retry;
  std::optional<llm::CacheOptions> cache;
};

/// Reads `record`, `max_concurrency`, `circuit_breaker`, `retry` and `cache`. What `retry` does not say, and all of it
/// if it is missing, is as in `retry` here; unset: no retries unless the settings want them.
[[nodiscard]] ModelGuards read_model_guards(config::ConfigReader& reader, std::optional<llm::RetryingOptions> retry);

/// Of a chain: only what is of use in front of other models, which have the rest themselves.
[[nodiscard]] ModelGuards read_chain_guards(config::ConfigReader& reader);

/// `name` is that of the model in the configuration. Fails with `bad_configuration` when its recording cannot be used.
[[nodiscard]] Result<std::shared_ptr<llm::ChatModel>> guarded(std::shared_ptr<llm::ChatModel> model,
                                                              const std::string& name, const ModelGuards& guards,
                                                              ModelServices& services);

/// A file that a configuration names: beside the configuration unless its path is absolute.
[[nodiscard]] std::filesystem::path beside(const config::ConfigReader& reader, const std::string& file);

}  // namespace parley::host
