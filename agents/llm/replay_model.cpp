#include "agents/llm/replay_model.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "agents/llm/canonical_request.hpp"

namespace parley::llm {

namespace {

std::unexpected<Error> unusable(const std::filesystem::path& file, const std::string& why) {
  return fail(ErrorCode::bad_configuration, "recording " + file.string() + ": " + why);
}

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// In one call, so that several processes may record into one file.
  [[nodiscard]] bool write(const std::string& text) const {
    return descriptor_ >= 0 && ::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

 private:
  int descriptor_;
};

Result<std::string> read_all(const std::filesystem::path& file) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(file, failure);
  if (failure) return unusable(file, "cannot be read: " + failure.message());
  if (size > kMaxRecordingBytes) return unusable(file, "larger than " + std::to_string(kMaxRecordingBytes) + " bytes");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return unusable(file, "cannot be read");
  return text.str();
}

}  // namespace

Result<std::unique_ptr<RecordingModel>> RecordingModel::make(std::shared_ptr<ChatModel> inner,
                                                             std::filesystem::path file) {
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(file, ignored) || std::filesystem::file_size(file, ignored) == 0;
  if (is_new) {
    if (!File(file).write(recording_header())) {
      return unusable(file, std::string("cannot be written: ") + std::strerror(errno));
    }
  } else {
    const Result<std::string> text = read_all(file);
    if (!text) return fail(text.error());
    if (const auto parsed = parse_recording(*text); !parsed) return unusable(file, parsed.error().message);
    if (!text->ends_with('\n')) return unusable(file, "its last line was cut off; remove that line or the file");
  }
  return std::unique_ptr<RecordingModel>(new RecordingModel(std::move(inner), std::move(file)));
}

Task<std::expected<Completion, ModelError>> RecordingModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const nlohmann::json asked = json_of(request);
  ModelOutcome outcome = co_await inner_->complete(std::move(request), std::move(on_chunk));
  if (!outcome && outcome.error().error.code == ErrorCode::cancelled) co_return outcome;
  if (!File(file_).write(recording_line(asked, outcome))) {
    const std::string reason = std::strerror(errno);
    co_return std::unexpected(
        ModelError{.error = {ErrorCode::upstream_failed,
                             "the exchange could not be recorded in " + file_.string() + ": " + reason, false}});
  }
  co_return outcome;
}

Result<std::unique_ptr<ReplayModel>> ReplayModel::make(const std::filesystem::path& file, ReplayMatch match) {
  Result<std::string> text = read_all(file);
  if (!text) return fail(std::move(text).error());
  Result<std::vector<RecordedExchange>> exchanges = parse_recording(*text);
  if (!exchanges) return unusable(file, exchanges.error().message);
  return std::unique_ptr<ReplayModel>(new ReplayModel(file, Replay(std::move(*exchanges), match)));
}

Task<std::expected<Completion, ModelError>> ReplayModel::complete(ChatRequest request, ChunkSink on_chunk) {
  Result<ModelOutcome> recorded = replay_.answer(json_of(request));
  if (!recorded) {
    co_return std::unexpected(
        ModelError{.error = {ErrorCode::invalid, file_.string() + ": " + recorded.error().message}});
  }
  ModelOutcome outcome = std::move(*recorded);
  if (outcome && on_chunk && !outcome->text.empty()) {
    outcome->time_to_first_chunk = Duration::zero();
    if (Result<> taken = co_await on_chunk(outcome->text); !taken) {
      co_return std::unexpected(ModelError{.error = std::move(taken).error()});
    }
  }
  co_return outcome;
}

}  // namespace parley::llm
