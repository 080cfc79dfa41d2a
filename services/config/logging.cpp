#include "services/config/logging.hpp"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace parley::config {
namespace {

constexpr std::string_view kTimePattern = "%Y-%m-%dT%H:%M:%S.%eZ";

bool is_plain(char letter) { return letter > 0x20 && letter != 0x7F && letter != '"' && letter != '\\' && letter != '='; }

bool is_control(char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F; }

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += is_control(letter) ? ' ' : letter;
  }
  out += '"';
}

void append_field(std::string& out, std::string_view key, std::string_view value) {
  out += out.empty() ? "{" : ",";
  append_json_text(out, key);
  out += ':';
  append_json_text(out, value);
}

/// Takes one `key=value` from the front of `rest`; nullopt when there is none.
std::optional<std::pair<std::string, std::string>> take_pair(std::string_view& rest) {
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  const std::string_view key = rest.substr(0, equals);
  if (!std::ranges::all_of(key, is_plain)) return std::nullopt;
  rest.remove_prefix(equals + 1);
  std::string value;
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    value = std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return std::pair(std::string(key), std::move(value));
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(std::min(i + 2, rest.size()));
      return std::pair(std::string(key), std::move(value));
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    value += rest[i];
  }
  return std::nullopt;
}

class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string process) : process_(std::move(process)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_formatter_.format(message, time);
    const spdlog::string_view_t level = spdlog::level::to_string_view(message.level);
    const std::string line = json_line({time.data(), time.size()}, {level.data(), level.size()}, process_,
                                       {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }

  [[nodiscard]] std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(process_); }

 private:
  std::string process_;
  spdlog::pattern_formatter time_formatter_{std::string(kTimePattern), spdlog::pattern_time_type::utc, ""};
};

}  // namespace

Result<> set_up_logging(const LogOptions& options) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error", "off"};
  if (std::ranges::find(kLevels, options.level) == std::end(kLevels)) {
    return fail(ErrorCode::bad_configuration, "log level '" + options.level + "': expected debug, info, warn, error or off");
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>(options.process, std::move(sink));
  logger->set_level(spdlog::level::from_str(options.level));
  logger->flush_on(spdlog::level::info);
  if (options.format == LogFormat::json) {
    logger->set_formatter(std::make_unique<JsonFormatter>(options.process));
  } else {
    logger->set_pattern(std::string(kTimePattern) + " %^%-5l%$ %n %v", spdlog::pattern_time_type::utc);
  }
  spdlog::set_default_logger(std::move(logger));
  return {};
}

std::string quoted(std::string_view value) {
  if (!value.empty() && std::ranges::all_of(value, is_plain)) return std::string(value);
  std::string text = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += is_control(letter) ? ' ' : letter;
  }
  return text + '"';
}

std::string json_line(std::string_view time, std::string_view level, std::string_view process, std::string_view message) {
  std::string line;
  append_field(line, "time", time);
  append_field(line, "level", level);
  append_field(line, "process", process);
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string_view rest = message;
  while (!rest.empty()) {
    auto pair = take_pair(rest);
    if (!pair) break;
    pairs.push_back(std::move(*pair));
  }
  if (!rest.empty() || pairs.empty()) {
    append_field(line, "message", message);
  } else {
    for (const auto& [key, value] : pairs) append_field(line, key, value);
  }
  return line + "}";
}

}  // namespace parley::config
