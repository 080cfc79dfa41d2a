// `parley chat --transcript FILE`: every exchange is written when it has ended, so that nothing is lost with the
// terminal and nothing piles up in memory. Loop thread.
#pragma once

#include <filesystem>
#include <fstream>

#include "libmsg/core/error.hpp"
#include "services/cli/transcript.hpp"

namespace parley::cli {

class ChatTranscript {
 public:
  /// Markdown in a file that ends with `.md`, one JSON object a line in one that ends with `.jsonl`. An older file is
  /// replaced. Fails with `bad_configuration` for another ending, and when the file cannot be written.
  static Result<ChatTranscript> open(const std::filesystem::path& file);

  /// Fails with `bad_configuration` when it cannot be written.
  Result<> add(const Transcript& exchange);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  explicit ChatTranscript(std::filesystem::path file) : file_(std::move(file)), out_(file_) {}

  std::filesystem::path file_;
  std::ofstream out_;
};

}  // namespace parley::cli
