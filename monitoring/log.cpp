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

/// Takes `"…"` (escapes undone except \uXXXX, which JSON reads itself) or a run without spaces off the front, as JSON
/// text.
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
    while (!rest.empty() && rest.front() != ' ') {
      append_escaped(json, rest.front());
      rest.remove_prefix(1);
    }
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
