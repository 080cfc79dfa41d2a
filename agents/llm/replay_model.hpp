// Records what a model is asked and answers, and plays it back: tests with a real model's words, without the model.
// Loop thread only; files are read and written on it, which is for tests and debugging, not for load.
#pragma once

#include <filesystem>
#include <memory>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/recording.hpp"

namespace parley::llm {

/// Recordings are read whole.
inline constexpr std::uintmax_t kMaxRecordingBytes = std::uintmax_t{64} * 1024 * 1024;

class RecordingModel final : public ChatModel {
 public:
  /// Adds to the file, or makes it, readable by its owner only. Fails with `bad_configuration` when it cannot be
  /// written or is something else than a recording.
  static Result<std::unique_ptr<RecordingModel>> make(std::shared_ptr<ChatModel> inner, std::filesystem::path file);

  /// A call whose record cannot be written fails with `upstream_failed`: an incomplete recording is worse than none.
  /// Calls that were cancelled are not recorded.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  RecordingModel(std::shared_ptr<ChatModel> inner, std::filesystem::path file)
      : inner_(std::move(inner)), file_(std::move(file)) {}

  std::shared_ptr<ChatModel> inner_;
  std::filesystem::path file_;
};

class ReplayModel final : public ChatModel {
 public:
  /// Fails with `bad_configuration` when the file cannot be read or is no recording.
  static Result<std::unique_ptr<ReplayModel>> make(const std::filesystem::path& file, ReplayMatch match);

  /// With a sink the recorded text comes in one piece. Fails with `invalid` for a request that was not recorded.
  Task<std::expected<Completion, ModelError>> complete(ChatRequest request, ChunkSink on_chunk) override;

 private:
  ReplayModel(std::filesystem::path file, Replay replay) : file_(std::move(file)), replay_(std::move(replay)) {}

  std::filesystem::path file_;
  Replay replay_;
};

}  // namespace parley::llm
