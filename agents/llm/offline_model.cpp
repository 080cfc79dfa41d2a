#include "agents/llm/offline_model.hpp"

#include <algorithm>
#include <utility>

#include "agents/llm/pause.hpp"

namespace parley::llm {

Task<std::expected<Completion, ModelError>> OfflineModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const TimePoint started = clock_.now();
  OfflineRules::Reply reply = rules_.reply(request);
  Completion& completion = reply.completion;

  const Duration left = request.deadline ? *request.deadline - started : Duration::max();
  if (Result<> waited = co_await pause(std::min<Duration>(reply.latency, left)); !waited) {
    co_return std::unexpected(ModelError{.error = std::move(waited).error()});
  }
  if (reply.latency > left) {
    co_return std::unexpected(ModelError{.error = {ErrorCode::timeout, "the offline model's latency of " +
                                                                           std::to_string(reply.latency.count()) +
                                                                           " ms ends behind the deadline"}});
  }
  if (reply.error) co_return std::unexpected(ModelError{.error = std::move(*reply.error)});
  if (on_chunk) {
    if (Result<> streamed = co_await stream(completion.text, on_chunk, started, completion); !streamed) {
      co_return std::unexpected(ModelError{.error = std::move(streamed).error(), .usage = completion.usage});
    }
  }
  completion.latency = clock_.now() - started;
  co_return std::move(completion);
}

Task<Result<>> OfflineModel::stream(const std::string& text, const ChunkSink& on_chunk, TimePoint started,
                                    Completion& completion) {
  for (const std::string_view chunk : split_chunks(text, rules_.options().chunk_bytes)) {
    if (!completion.time_to_first_chunk) {
      completion.time_to_first_chunk = clock_.now() - started;
    } else if (Result<> waited = co_await pause(rules_.options().chunk_interval); !waited) {
      co_return waited;
    }
    if (Result<> taken = co_await on_chunk(chunk); !taken) co_return taken;
  }
  co_return Result<>{};
}

}  // namespace parley::llm
