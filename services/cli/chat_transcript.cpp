#include "services/cli/chat_transcript.hpp"

#include <utility>

namespace parley::cli {
namespace {

std::unexpected<Error> cannot_write(const std::filesystem::path& file) {
  return fail(ErrorCode::bad_configuration, "cannot write " + file.string());
}

}  // namespace

Result<ChatTranscript> ChatTranscript::open(const std::filesystem::path& file) {
  if (file.extension() != ".md" && file.extension() != ".jsonl") {
    return fail(ErrorCode::bad_configuration, "--transcript: expected a file that ends with .md or .jsonl");
  }
  ChatTranscript transcript(file);
  if (!transcript.out_) return cannot_write(file);
  return transcript;
}

Result<> ChatTranscript::add(const Transcript& exchange) {
  out_ << (file_.extension() == ".md" ? exchange.markdown() : exchange.json(Transcript::Layout::line));
  if (!out_.flush()) return cannot_write(file_);
  return {};
}

}  // namespace parley::cli
