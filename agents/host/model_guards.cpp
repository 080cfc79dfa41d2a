#include "agents/host/model_guards.hpp"

#include <utility>

#include "agents/llm/breaker_model.hpp"
#include "agents/llm/cached_model.hpp"
#include "agents/llm/replay_model.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;

constexpr Range<milliseconds> kGuardWaits{milliseconds(1), milliseconds(86'400'000)};
constexpr Range<std::uint64_t> kCallCounts{1, 100'000};
constexpr Range<std::uint64_t> kRetryCounts{0, 20};

/// `max_concurrency: 8`, or a map that says more.
std::optional<llm::CallLimits> read_limits(ConfigReader& reader) {
  if (!reader.has("max_concurrency")) return std::nullopt;
  llm::CallLimits limits;
  if (reader.is_text("max_concurrency")) {
    limits.max_running = reader.integer("max_concurrency", limits.max_running, kCallCounts);
    return limits;
  }
  std::optional<ConfigReader> settings = reader.child("max_concurrency");
  if (!settings) return std::nullopt;
  limits.max_running = settings->integer("calls", limits.max_running, kCallCounts);
  limits.max_waiting = settings->integer("max_waiting", limits.max_waiting, {0, 100'000});
  limits.max_wait = settings->duration("max_wait", limits.max_wait, kGuardWaits);
  settings->reject_unknown_keys();
  return limits;
}

std::optional<llm::CircuitBreakerOptions> read_breaker(ConfigReader& reader) {
  std::optional<ConfigReader> settings = reader.child("circuit_breaker");
  if (!settings) return std::nullopt;
  llm::CircuitBreakerOptions options;
  options.failures = static_cast<std::uint32_t>(settings->integer("failures", options.failures, {1, 10'000}));
  options.open_for = settings->duration("open_for", options.open_for, kGuardWaits);
  options.max_open_for = settings->duration("max_open_for", options.max_open_for, kGuardWaits);
  if (options.max_open_for < options.open_for) settings->reject("max_open_for", "expected at least `open_for`");
  settings->reject_unknown_keys();
  return options;
}

std::optional<llm::RetryingOptions> read_retry(ConfigReader& reader, std::optional<llm::RetryingOptions> fallback) {
  std::optional<ConfigReader> settings = reader.child("retry");
  if (!settings) return fallback;
  llm::RetryingOptions options = fallback.value_or(llm::RetryingOptions{});
  llm::RetryOptions& retry = options.retry;
  retry.max_retries = static_cast<std::uint32_t>(settings->integer("max_retries", retry.max_retries, kRetryCounts));
  retry.first_backoff = settings->duration("first_backoff", retry.first_backoff, kGuardWaits);
  retry.max_backoff = settings->duration("max_backoff", retry.max_backoff, kGuardWaits);
  retry.max_retry_after = settings->duration("max_retry_after", retry.max_retry_after, kGuardWaits);
  if (retry.max_backoff < retry.first_backoff) settings->reject("max_backoff", "expected at least `first_backoff`");
  settings->reject_unknown_keys();
  return options;
}

std::optional<llm::CacheOptions> read_cache(ConfigReader& reader) {
  std::optional<ConfigReader> settings = reader.child("cache");
  if (!settings) return std::nullopt;
  llm::CacheOptions options;
  options.max_entries = settings->integer("max_entries", options.max_entries, {1, 1'000'000});
  options.max_bytes = settings->integer("max_bytes", options.max_bytes, {1024, 4'294'967'296});
  options.ttl = settings->duration("ttl", options.ttl, kGuardWaits);
  settings->reject_unknown_keys();
  return options;
}

}  // namespace

std::filesystem::path beside(const ConfigReader& reader, const std::string& file) {
  return std::filesystem::path(reader.file()).parent_path() / file;
}

ModelGuards read_model_guards(ConfigReader& reader, std::optional<llm::RetryingOptions> retry) {
  ModelGuards guards;
  if (reader.has("record")) guards.recording = beside(reader, reader.required_text("record"));
  guards.limits = read_limits(reader);
  guards.breaker = read_breaker(reader);
  guards.retry = read_retry(reader, retry);
  guards.cache = read_cache(reader);
  return guards;
}

ModelGuards read_chain_guards(ConfigReader& reader) {
  ModelGuards guards;
  guards.limits = read_limits(reader);
  guards.breaker = read_breaker(reader);
  guards.cache = read_cache(reader);
  return guards;
}

Result<std::shared_ptr<llm::ChatModel>> guarded(std::shared_ptr<llm::ChatModel> model, const std::string& name,
                                                const ModelGuards& guards, ModelServices& services) {
  std::shared_ptr<llm::ModelObserver> observer =
      services.observer ? services.observer(name) : std::make_shared<llm::ModelObserver>();
  if (guards.recording) {
    Result<std::unique_ptr<llm::RecordingModel>> recording =
        llm::RecordingModel::make(std::move(model), *guards.recording);
    if (!recording) return fail(std::move(recording).error());
    model = std::move(*recording);
  }
  if (guards.limits) {
    model = std::make_shared<llm::LimitedModel>(std::move(model), name, *guards.limits, observer, services.clock);
  }
  if (guards.breaker) {
    model = std::make_shared<llm::BreakerModel>(std::move(model), name, *guards.breaker, observer, services.clock);
  }
  if (guards.retry && guards.retry->retry.max_retries > 0) {
    model = std::make_shared<llm::RetryingModel>(std::move(model), *guards.retry, services.clock, services.random);
  }
  if (guards.cache) {
    model = std::make_shared<llm::CachedModel>(std::move(model), *guards.cache, observer, services.clock);
  }
  return model;
}

}  // namespace parley::host
