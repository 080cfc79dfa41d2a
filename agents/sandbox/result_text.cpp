#include "agents/sandbox/result_text.hpp"

#include <cstddef>
#include <cstdint>

namespace parley::sandbox {
namespace {

std::string_view reason(Limit limit) {
  switch (limit) {
    case Limit::none:
      return "";
    case Limit::wall_time:
      return "it took too long";
    case Limit::cpu_time:
      return "it computed for too long";
    case Limit::memory:
      return "it used too much memory";
    case Limit::processes:
      return "it started too many processes";
    case Limit::output:
      return "it wrote too much output";
    case Limit::files:
      return "it made too many files";
  }
  return "";
}

std::string seconds_text(std::chrono::milliseconds time) {
  constexpr std::int64_t kTenth = 100;
  const std::int64_t tenths = (time.count() + kTenth / 2) / kTenth;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

void add_stream(std::string& text, std::string_view name, std::string_view written) {
  if (written.empty()) return;
  text.append("\n").append(name).append(":\n").append(repaired_utf8(written));
  while (text.ends_with('\n')) text.pop_back();
}

/// Bytes of the UTF-8 character that begins here; 0 when none does.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const auto follows = [&](std::size_t at, unsigned low = 0x80U, unsigned high = 0xBFU) {
    return byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU) {
    // Neither longer than needed nor a surrogate.
    const bool is_good = follows(1, first == 0xE0U ? 0xA0U : 0x80U, first == 0xEDU ? 0x9FU : 0xBFU) && follows(2);
    return is_good ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool is_good =
        follows(1, first == 0xF0U ? 0x90U : 0x80U, first == 0xF4U ? 0x8FU : 0xBFU) && follows(2) && follows(3);
    return is_good ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string repaired_utf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    repaired.append(size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return repaired;
}

std::string outcome_text(const RunResult& result) {
  if (result.limit == Limit::none) return "exit code " + std::to_string(result.exit_code);
  return "ended after " + seconds_text(result.took) + ": " + std::string(reason(result.limit)) + " (" +
         std::string(to_string(result.limit)) + ")";
}

std::string result_text(const RunResult& result) {
  std::string text = outcome_text(result);
  add_stream(text, "stdout", result.out);
  add_stream(text, "stderr", result.err);
  if (result.out.empty() && result.err.empty()) text += "\n(no output)";
  if (result.is_truncated) text += "\n(the output was longer; the rest is cut)";
  if (!result.files.empty()) {
    text += "\nfiles:";
    for (const File& file : result.files) {
      text += "\n  " + repaired_utf8(file.name) + " (" + std::to_string(file.bytes.size()) + " bytes)";
    }
  }
  if (!result.left_out.empty()) {
    text += "\nnot given back (too many, too large, or no plain files):";
    for (const std::string& name : result.left_out) text += "\n  " + repaired_utf8(name);
  }
  return text;
}

}  // namespace parley::sandbox
