#include "services/supervisor/local/log_tail.hpp"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

namespace parley::supervisor {

void LogTail::keep(const std::string& line) {
  last_.push_back(line);
  if (last_.size() > kKeptLines) last_.pop_front();
}

void LogTail::read(const std::function<void(const std::string& line)>& take) {
  std::ifstream stream(file_, std::ios::binary);
  if (!stream.seekg(static_cast<std::streamoff>(offset_))) return;
  const auto hand_out = [&](const std::string& line) {
    keep(line);
    take(line);
  };
  std::array<char, 16384> chunk;
  while (stream.read(chunk.data(), chunk.size()), stream.gcount() > 0) {
    offset_ += static_cast<std::uintmax_t>(stream.gcount());
    unfinished_.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
    std::size_t begin = 0;
    for (auto end = unfinished_.find('\n'); end != std::string::npos; end = unfinished_.find('\n', begin)) {
      hand_out(unfinished_.substr(begin, end - begin));
      begin = end + 1;
    }
    unfinished_.erase(0, begin);
    if (unfinished_.size() > kMaxLineBytes) {
      hand_out(unfinished_);
      unfinished_.clear();
    }
  }
  if (offset_ > kMaxFileBytes) rotate();
}

void LogTail::rotate() {
  std::error_code failure;
  std::filesystem::copy_file(file_, file_.string() + ".1", std::filesystem::copy_options::overwrite_existing, failure);
  if (failure) return;
  // The process appends, so it goes on at the new end.
  std::filesystem::resize_file(file_, 0, failure);
  if (!failure) offset_ = 0;
}

void LogTail::begin_process() {
  unfinished_.clear();
  last_.clear();
}

std::optional<ReadyLine> parse_ready_line(const std::string& line) {
  if (!line.starts_with('{')) return std::nullopt;
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.value("event", nlohmann::json()) != "ready") return std::nullopt;
  const auto port = json.value("metrics_port", nlohmann::json());
  const bool is_port = port.is_number_unsigned() && port.get<std::uint64_t>() <= 65535;
  return ReadyLine{is_port ? port.get<std::uint16_t>() : std::uint16_t{0}};
}

}  // namespace parley::supervisor
