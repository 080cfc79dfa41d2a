#include "monitoring/log.hpp"

#include <memory>
#include <spdlog/fmt/fmt.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace parley::monitoring {
namespace {

/// A `%*` of the pattern: the message's fields as JSON members.
class JsonFields final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out) override {
    const std::string fields = log_fields_as_json({message.payload.data(), message.payload.size()});
    out.append(fields.data(), fields.data() + fields.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonFields>(); }
};

/// The level by the name that `--log-level` has for it: spdlog calls `warn` "warning".
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out) override {
    const auto given = spdlog::level::to_string_view(message.level);
    const std::string_view name =
        message.level == spdlog::level::warn ? "warn" : std::string_view(given.data(), given.size());
    out.append(name.data(), name.data() + name.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelName>(); }
};

/// A decimal number that every reader of JSON takes as it is: no leading zeros, no exponent, no more digits than a
/// double holds exactly. Anything longer is an id.
bool is_plain_number(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::size_t kMaxDigits = 15;
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : text.substr(point + 1);
  const auto is_digits = [&](std::string_view part) {
    return !part.empty() && part.size() <= kMaxDigits && part.find_first_not_of(kDigits) == std::string_view::npos;
  };
  return is_digits(whole) && is_digits(fraction) && (whole.size() == 1 || whole.front() != '0');
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      } else {
        out += c;
      }
  }
}

/// Takes `"…"` (escapes undone except \uXXXX, which JSON reads itself) or a run without spaces off the front, as JSON:
/// a number when it is one and has no quotes, else text.
std::string take_value(std::string_view& rest) {
  std::string json = "\"";
  if (rest.starts_with('"')) {
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
      const std::size_t count = rest.front() == '\\' && rest.size() > 1 ? 2 : 1;
      json += rest.substr(0, count);
      rest.remove_prefix(count);
    }
    if (!rest.empty()) rest.remove_prefix(1);
  } else {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (is_plain_number(word)) return std::string(word);
    for (const char c : word) append_escaped(json, c);
  }
  return json + '"';
}

bool is_field_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

std::string log_text(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) append_escaped(out, c);
  return out + '"';
}

std::string log_fields_as_json(std::string_view line) {
  std::string out;
  std::string_view rest = line;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !is_field_name(rest.substr(0, equals))) {
      return "\"message\":" + log_text(line);
    }
    if (!out.empty()) out += ',';
    out += '"' + std::string(rest.substr(0, equals)) + "\":";
    rest.remove_prefix(equals + 1);
    out += take_value(rest);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  return out.empty() ? "\"message\":\"\"" : out;
}

Result<> set_up_log(const LogOptions& options) {
  const auto level = spdlog::level::from_str(options.level);
  if (level == spdlog::level::off && options.level != "off") {
    return fail(ErrorCode::bad_configuration,
                "log level '" + options.level + "': expected error, warn, info, debug or off");
  }
  if (options.format != "text" && options.format != "json") {
    return fail(ErrorCode::bad_configuration, "log format '" + options.format + "': expected text or json");
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<LevelName>('l');
  if (options.format == "json") {
    formatter->add_flag<JsonFields>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*})");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v");
  }
  auto logger = std::make_shared<spdlog::logger>("parley", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace parley::monitoring
